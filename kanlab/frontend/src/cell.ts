/**
 * A new code cell below the one that shows the Lab. An output has no way to ask JupyterLab for one, so the keys that
 * a person would press are sent to the notebook (command mode, "b", Enter) and the text is pasted into the new cell.
 */

const PATIENCE = 1500;

/** Whether the text stands in a new cell now; false where this is no notebook, or it did not let us. */
export async function insertCell(from: Element, text: string): Promise<boolean> {
  const own = from.closest<HTMLElement>(".jp-Cell");
  const notebook = own?.closest<HTMLElement>(".jp-Notebook");
  if (!own || !notebook) return false;
  const before = new Set(notebook.querySelectorAll(".jp-Cell"));
  const prompt = own.querySelector<HTMLElement>(".jp-InputPrompt") ?? own;
  for (const kind of ["mousedown", "mouseup", "click"]) prompt.dispatchEvent(mouse(kind));
  // Its shortcuts are those of what has the focus within the notebook.
  own.focus();
  if (!notebook.contains(document.activeElement)) notebook.focus();
  press(document.activeElement ?? own, "Escape", 27);
  press(document.activeElement ?? own, "b", 66);
  const cell = await found(() => [...notebook.querySelectorAll(".jp-Cell")].find((one) => !before.has(one)));
  const editor = cell && (await found(() => cell.querySelector<HTMLElement>(".cm-content")));
  if (!editor) return false;
  editor.focus();
  const data = new DataTransfer();
  data.setData("text/plain", text);
  editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  const first = text.slice(0, text.indexOf("\n"));
  return (await found(() => (editor.textContent?.includes(first) ? editor : undefined))) !== null;
}

function press(target: Element, key: string, keyCode: number): void {
  const code = key.length === 1 ? `Key${key.toUpperCase()}` : key;
  target.dispatchEvent(new KeyboardEvent("keydown", { key, code, keyCode, bubbles: true, cancelable: true }));
}

const mouse = (kind: string) => new MouseEvent(kind, { bubbles: true, cancelable: true, button: 0 });

/** Look again until there is something, or time is over. */
async function found<T>(look: () => T | null | undefined): Promise<T | null> {
  const end = performance.now() + PATIENCE;
  while (performance.now() < end) {
    const thing = look();
    if (thing) return thing;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return null;
}
