/** The pages of docs/ as their readers use them: which commands stand there, and what a page shows of their output. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "../../hack/src/shell.ts";
import { root } from "../../hack/src/target.ts";

/** A fenced block: `sh` has one command a line, `console` has each after a prompt, with what it prints below. */
export type Block = { readonly heading: string; readonly language: string; readonly text: string };

/** A command, and what the page shows of its output; empty where it shows nothing. */
export type Command = { readonly command: string; readonly shown: string };

/** The blocks of a page, without the indentation that they stand at, each under the heading before it. */
export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let heading = "";
  for (const [, title, indentation = "", language, text = ""] of markdown.matchAll(
    /^#+ (.+)$|^( *)```(\w+)\n([^]*?)^ *```$/gm,
  )) {
    if (title !== undefined) heading = title;
    if (language !== undefined)
      blocks.push({ heading, language, text: text.replaceAll(new RegExp(`^${indentation}`, "gm"), "") });
  }
  return blocks;
}

/** The commands of a block; none where it is of another kind. */
export function commandsOf({ language, text }: Block): readonly Command[] {
  if (language === "console") {
    const parts = text.split(/^[$#] /m).slice(1);
    return parts.map((part) => {
      const [command = "", ...shown] = part.split("\n");
      return { command, shown: shown.join("\n").trimEnd() };
    });
  }
  if (language !== "sh") return [];
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((command) => ({ command, shown: "" }));
}

/** The calls of kubectl in the running text and the tables of a page. */
export function callsOf(markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^ *```[^]*?^ *```$/gm, "");
  return [...new Set([...prose.matchAll(/`(kubectl [^`]+)`/g)].map(([, command = ""]) => command))];
}

/** The lines that a page shows and that were not printed in this order; `…` stands for anything, and blanks count as one. */
export function notPrinted(shown: string, printed: string): readonly string[] {
  const rest = printed.split("\n").map(singleBlanks);
  return shown.split("\n").filter((line) => {
    const parts = singleBlanks(line).split("…");
    const pattern = new RegExp(`^${parts.map((part) => part.replaceAll(/[^\w\s]/g, "\\$&")).join(".*")}$`);
    const at = rest.findIndex((one) => pattern.test(one));
    rest.splice(0, at + 1);
    return at < 0;
  });
}

const singleBlanks = (line: string): string => line.trim().replaceAll(/\s+/g, " ");

/** A page, which knows what of it has been tried out. */
export class Page {
  readonly commands: readonly Command[];
  /** Its examples of what people write, in YAML. */
  readonly examples: readonly Block[];
  /** The calls of kubectl in its running text and its tables. */
  readonly calls: readonly string[];
  readonly #blocks: readonly Block[];
  readonly #name: string;
  readonly #tried = new Set<string>();

  constructor(name: string) {
    this.#name = name;
    const markdown = readFileSync(join(root, "docs", name), "utf8");
    this.#blocks = blocksOf(markdown);
    this.commands = this.#blocks.flatMap(commandsOf);
    this.examples = this.#blocks.filter(({ language }) => language === "yaml");
    this.calls = callsOf(markdown);
  }

  /** A section's blocks of sh, as one script; throws where the page has none under that heading. */
  section(heading: string): string {
    const blocks = this.#blocks.filter((block) => block.heading === heading && block.language === "sh");
    if (blocks.length === 0) throw new Error(`${this.#name} has no section "${heading}" with commands`);
    for (const { command } of blocks.flatMap(commandsOf)) this.#tried.add(command);
    return blocks.map(({ text }) => text).join("");
  }

  /** A command of the page; throws where the page has no such one. */
  command(text: string): Command {
    const found = this.commands.find(({ command }) => command === text);
    if (found === undefined) throw new Error(`${this.#name} has no command "${text}"`);
    this.#tried.add(text);
    return found;
  }

  /** The commands that nobody has asked for. */
  untried(): readonly string[] {
    return this.commands.map(({ command }) => command).filter((command) => !this.#tried.has(command));
  }
}

/** Runs a script of a page in the checkout, and gives what it printed; rejects when one of its commands fails. */
export async function type(script: string, env: Readonly<Record<string, string>>): Promise<string> {
  const options = { cwd: root, env: { NO_COLOR: "1", ...env } };
  const { code, stdout, stderr } = await attempt("bash", ["-euo", "pipefail", "-c", script], options);
  if (code !== 0) throw new Error(`exit code ${String(code)} of\n${script}\n${stdout}${stderr}`);
  return stdout + stderr;
}
