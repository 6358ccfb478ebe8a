/** Which test runs the commands of which page; so that a page with commands that nobody runs does not go unnoticed. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { root } from "../../hack/src/target.ts";
import { blocksOf, callsOf, commandsOf, notPrinted, Page } from "../support/page.ts";

const text = `# Page

\`\`\`sh
# a word before
first | second   # of these
\`\`\`

1. Then:

   \`\`\`console
   $ third
   what it   prints

   # fourth
   \`\`\`

## Section

\`\`\`yaml
kind: Service
\`\`\`
`;

describe("a page's reader", () => {
  it("finds the blocks, under the headings that they stand below", () => {
    const found = blocksOf(text).map(({ heading, language }) => [heading, language]);
    expect(found).toEqual([
      ["Page", "sh"],
      ["Page", "console"],
      ["Section", "yaml"],
    ]);
  });

  it("tells commands from remarks, and from what they print", () => {
    expect(blocksOf(text).flatMap(commandsOf)).toEqual([
      { command: "first | second   # of these", shown: "" },
      { command: "third", shown: "what it   prints" },
      { command: "fourth", shown: "" },
    ]);
  });

  it("finds what kubectl is called with in the running text", () => {
    expect(callsOf("Say `kubectl get ip` or `ls`, and\n`kubectl get ip`.\n\n```sh\nkubectl get `x`\n```\n")).toEqual([
      "kubectl get ip",
    ]);
  });

  it.each([
    { shown: "pod … ready\n…", printed: "other\npod  a-1  ready\nrest", missing: [] },
    { shown: "(1/2) [a]", printed: "(1/2)\t[a]", missing: [] },
    { shown: "a\nb", printed: "b\na", missing: ["b"] },
    { shown: "a.c", printed: "abc", missing: ["a.c"] },
    { shown: "a", printed: "a b", missing: ["a"] },
  ])("says what of $shown was not printed in its order", ({ shown, printed, missing }) => {
    expect(notPrinted(shown, printed)).toEqual(missing);
  });
});

const TESTS = ["tests/e2e/17-pages.test.ts", "tests/migration/page.ts", "tests/ways/ways-in.test.ts"];

test("every page with commands is one that a test runs", () => {
  const sources = TESTS.map((file) => readFileSync(join(root, file), "utf8")).join("");
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const withCommands = pages.filter((name) => new Page(name).commands.length > 0);
  expect(withCommands.filter((name) => !sources.includes(`"${name}"`))).toEqual([]);
});
