interface ImportMeta {
  glob(pattern: string, options: { eager: true; import: "default" }): Record<string, unknown>;
}
