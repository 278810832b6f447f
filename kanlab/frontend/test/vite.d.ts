interface ImportMeta {
  glob(pattern: string, options: { eager: true; import: "default"; query?: string }): Record<string, unknown>;
}
