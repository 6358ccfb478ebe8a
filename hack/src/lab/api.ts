/** Reading the lab's API server from the host. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { certificatePath, keyPath } from "./certificates.ts";
import { pickList, pickText } from "./json.ts";
import type { Paths } from "./paths.ts";

/** Reads a path of the API: the parsed answer, or undefined when there is none or it is not a success. */
export type ApiReader = (path: string) => Promise<unknown>;

const TIMEOUT_MILLIS = 3_000;

/** A reader for the API server behind this port of the host, with an administrator's rights. */
export function apiReader(paths: Paths, port: number): ApiReader {
  const agent = new Agent({
    keepAlive: true,
    ca: readFileSync(certificatePath(paths, "ca")),
    cert: readFileSync(certificatePath(paths, "admin")),
    key: readFileSync(keyPath(paths, "admin")),
  });
  return (path) =>
    new Promise((resolve) => {
      const nothing = (): void => {
        resolve(undefined);
      };
      const asked = request({ agent, host: "127.0.0.1", port, path, timeout: TIMEOUT_MILLIS }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", nothing);
        answer.on("end", () => {
          resolve(answer.statusCode === 200 ? parse(Buffer.concat(chunks).toString()) : undefined);
        });
      });
      asked.on("error", nothing);
      asked.on("timeout", () => asked.destroy());
      asked.end();
    });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the health paths answer "ok"
  }
}

/** Names of the nodes in a NodeList that are Ready and take pods. */
export function readyNodes(list: unknown): readonly string[] {
  return pickList(list, "items")
    .filter(
      (node) =>
        pickList(node, "status", "conditions").some(
          (condition) => pickText(condition, "type") === "Ready" && pickText(condition, "status") === "True",
        ) &&
        !pickList(node, "spec", "taints").some((taint) => pickText(taint, "key") === "node.kubernetes.io/not-ready"),
    )
    .map((node) => pickText(node, "metadata", "name"));
}
