/** What the person at the terminal can do something about: shown as its message alone. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}
