/** What a command line asks for: pure. */
import { MAX_NODES } from "./plan.ts";
import type { Bridge } from "./plan.ts";
import type { Shape } from "./record.ts";

export type Command =
  | { readonly verb: "help" }
  | { readonly verb: "up"; readonly shape: Shape }
  | { readonly verb: "down" }
  | { readonly verb: "status" }
  | { readonly verb: "kubeconfig"; readonly raw: boolean }
  | { readonly verb: "exec"; readonly namespace: string; readonly command: readonly string[] }
  | { readonly verb: "load"; readonly archives: readonly string[] }
  | { readonly verb: "cut"; readonly node: string; readonly bridge: Bridge; readonly silent: boolean }
  | { readonly verb: "heal"; readonly node: string }
  | { readonly verb: "signal"; readonly signal: NodeJS.Signals; readonly node: string; readonly container: string }
  | { readonly verb: "api"; readonly action: "start" | "stop" }
  | { readonly verb: "expose"; readonly port: number };

export type Parsed =
  | { readonly ok: true; readonly lab: string; readonly command: Command }
  | { readonly ok: false; readonly refusal: string };

export const USAGE = `usage: hack/lab [--name LAB] COMMAND

  up [--nodes N] [--ipv6] [--audit]   start a cluster of N nodes (3)
  down                                remove it, whatever is left of it
  status                              what runs, and where the API server is
  kubeconfig [--raw]                  path of the kubeconfig, or its content
  exec NS -- CMD                      run CMD in the network of client, router, control, switch or a node
  load ARCHIVE...                     import image archives (OCI or docker) into every node
  cut NODE lan|mgmt [--silent]        take a node off a network; silent: its carrier stays
  heal NODE                           put it back
  kill|stop|cont NODE announcer       send the announcer's processes SIGKILL, SIGSTOP or SIGCONT
  api stop|start                      end or start the API server
  expose PORT                         let the API server reach the host's 127.0.0.1:PORT at its own address

The lab is called LAB, or $BERTH_LAB, or "berth".
`;

const SIGNALS: ReadonlyMap<string, NodeJS.Signals> = new Map([
  ["kill", "SIGKILL"],
  ["stop", "SIGSTOP"],
  ["cont", "SIGCONT"],
]);

type Answer = Command | { readonly refusal: string };

const refuse = (refusal: string): Answer => ({ refusal });

function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

type Flags = { readonly nodes: number; readonly ipv6: boolean; readonly audit: boolean };

function parseUp(words: readonly string[], flags: Flags): Answer {
  const [flag, value, ...rest] = words;
  const others = words.slice(1);
  switch (flag) {
    case undefined:
      return { verb: "up", shape: flags };
    case "--ipv6":
      return parseUp(others, { ...flags, ipv6: true });
    case "--audit":
      return parseUp(others, { ...flags, audit: true });
    case "--nodes": {
      const nodes = parseCount(value);
      return nodes === undefined || nodes < 1 || nodes > MAX_NODES
        ? refuse(`--nodes is "${value ?? ""}"; give a number from 1 to ${String(MAX_NODES)}`)
        : parseUp(rest, { ...flags, nodes });
    }
    default:
      return refuse(`up does not know "${flag}"; it takes --nodes N, --ipv6 and --audit`);
  }
}

function parseExec(words: readonly string[]): Answer {
  const [namespace, ...rest] = words;
  const command = rest[0] === "--" ? rest.slice(1) : rest;
  return namespace === undefined || command.length === 0
    ? refuse("exec needs a namespace and a command; write exec client -- ip address")
    : { verb: "exec", namespace, command };
}

function parseCut(words: readonly string[]): Answer {
  const [node, bridge, extra] = words;
  if (node === undefined || (bridge !== "lan" && bridge !== "mgmt")) {
    return refuse("cut needs a node and a network; write cut node-1 lan or cut node-1 mgmt");
  }
  if (extra !== undefined && extra !== "--silent") {
    return refuse(`cut does not know "${extra}"; it takes --silent`);
  }
  return { verb: "cut", node, bridge, silent: extra === "--silent" };
}

function parseSignal(verb: string, signal: NodeJS.Signals, words: readonly string[]): Answer {
  const [node, container] = words;
  return node === undefined || container === undefined
    ? refuse(`${verb} needs a node and a container; write ${verb} node-1 announcer`)
    : { verb: "signal", signal, node, container };
}

function parseLoad(words: readonly string[]): Answer {
  return words.length === 0 ? refuse("load needs an archive; write load image.tar") : { verb: "load", archives: words };
}

function parseHeal([node]: readonly string[]): Answer {
  return node === undefined ? refuse("heal needs a node; write heal node-1") : { verb: "heal", node };
}

function parseApi([action]: readonly string[]): Answer {
  return action === "stop" || action === "start"
    ? { verb: "api", action }
    : refuse(`api is told "${action ?? ""}"; write api stop or api start`);
}

function parseExpose([text]: readonly string[]): Answer {
  const port = parseCount(text);
  return port === undefined || port < 1 || port > 65_535
    ? refuse(`expose is given "${text ?? ""}"; give a port from 1 to 65535`)
    : { verb: "expose", port };
}

const PARSERS: ReadonlyMap<string, (words: readonly string[]) => Answer> = new Map([
  ["up", (words) => parseUp(words, { nodes: 3, ipv6: false, audit: false })],
  ["down", () => ({ verb: "down" })],
  ["status", () => ({ verb: "status" })],
  ["help", () => ({ verb: "help" })],
  ["--help", () => ({ verb: "help" })],
  ["-h", () => ({ verb: "help" })],
  ["kubeconfig", (words) => ({ verb: "kubeconfig", raw: words.includes("--raw") })],
  ["exec", parseExec],
  ["load", parseLoad],
  ["cut", parseCut],
  ["heal", parseHeal],
  ["api", parseApi],
  ["expose", parseExpose],
]);

function parseVerb(words: readonly string[]): Answer {
  const [verb, ...rest] = words;
  if (verb === undefined) return refuse("no command is given; see hack/lab help");
  const signal = SIGNALS.get(verb);
  if (signal !== undefined) return parseSignal(verb, signal, rest);
  return PARSERS.get(verb)?.(rest) ?? refuse(`there is no command "${verb}"; see hack/lab help`);
}

/** Reads the words after `hack/lab`; `defaultLab` is the lab's name where --name is not given. */
export function parseCommandLine(words: readonly string[], defaultLab: string): Parsed {
  const named = words[0] === "--name";
  const lab = named ? (words[1] ?? "") : defaultLab;
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(lab)) {
    const refusal = `lab name "${lab}" does not do; use up to 20 lower-case letters, digits and dashes, a letter first`;
    return { ok: false, refusal };
  }
  const answer = parseVerb(named ? words.slice(2) : words);
  return "refusal" in answer ? { ok: false, refusal: answer.refusal } : { ok: true, lab, command: answer };
}
