import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { AuditTail, countWrites, parseWrite } from "../../../hack/src/bench/audit.ts";

type Line = { verb?: string; stage?: string; user?: object; objectRef?: object; requestURI?: string; code?: number };

const pods = (name: string): object => ({
  username: "system:serviceaccount:pepr-system:pepr-berth",
  extra: { "authentication.kubernetes.io/pod-name": [name] },
});

const line = ({ code = 201, ...more }: Line): string =>
  JSON.stringify({
    stage: "ResponseComplete",
    verb: "create",
    requestURI: "/",
    user: { username: "admin" },
    objectRef: { resource: "services" },
    responseStatus: { code },
    ...more,
  });

describe("a line of the audit log", () => {
  it.each<{ what: string; given: Line; writer: string }>([
    { what: "user", given: {}, writer: "admin" },
    { what: "node", given: { user: { username: "system:node:node-1" } }, writer: "node:node-1" },
    {
      what: "controller, by its account",
      given: { user: { username: "system:serviceaccount:kube-system:endpointslice-controller" } },
      writer: "endpointslice-controller",
    },
    {
      what: "Deployment of an admission pod",
      given: { user: pods("pepr-berth-88955576c-dxchl") },
      writer: "pepr-berth",
    },
    {
      what: "Deployment of the watcher, which has the same account",
      given: { user: pods("pepr-berth-watcher-5f4f86857f-6pct2") },
      writer: "pepr-berth-watcher",
    },
    { what: "DaemonSet of an announcer", given: { user: pods("announcer-96g9p") }, writer: "announcer" },
  ])("names the $what as the writer", ({ given, writer }) => {
    expect(parseWrite(line(given))?.writer).toBe(writer);
  });

  test("names the subresource", () => {
    const status = line({ verb: "patch", objectRef: { resource: "services", subresource: "status" } });
    expect(parseWrite(status)?.what).toBe("patch services/status");
  });

  it.each<{ what: string; text: string }>([
    { what: "reads", text: line({ verb: "watch" }) },
    { what: "is a dry run", text: line({ requestURI: "/api/v1/services?dryRun=All" }) },
    { what: "has not been answered", text: line({ stage: "RequestReceived" }) },
    { what: "is cut off", text: line({}).slice(0, -1) },
    { what: "is empty", text: "" },
  ])("that $what is no write", ({ text }) => {
    expect(parseWrite(text)).toBeUndefined();
  });
});

test("counts by writer and kind of write, the busiest first, and how many were refused", () => {
  const lines = [
    line({}),
    line({ objectRef: { resource: "ipaddresses" }, code: 409 }),
    line({ objectRef: { resource: "ipaddresses" } }),
  ];
  expect(countWrites(lines.flatMap((text) => parseWrite(text) ?? []))).toEqual([
    { writer: "admin", what: "create ipaddresses", count: 2, refused: 1 },
    { writer: "admin", what: "create services", count: 1, refused: 0 },
  ]);
});

describe("the tail of a log", () => {
  const cell = { folder: "" };
  const log = (): string => join(cell.folder, "audit.log");
  beforeEach(() => {
    cell.folder = mkdtempSync(join(tmpdir(), "berth-"));
    writeFileSync(log(), `${line({ verb: "delete" })}\n`);
  });
  afterEach(() => {
    rmSync(cell.folder, { recursive: true });
  });

  const verbs = (tail: AuditTail): readonly string[] => [...tail.finish()].map(({ what }) => what);

  test("has what came after it began", () => {
    const tail = new AuditTail(log());
    appendFileSync(log(), `${line({})}\n`);
    expect(verbs(tail)).toEqual(["create services"]);
  });

  test("goes on in the new file where the API server has begun one", () => {
    const tail = new AuditTail(log());
    appendFileSync(log(), `${line({})}\n`);
    renameSync(log(), join(cell.folder, "audit-2026.log"));
    writeFileSync(log(), `${line({ verb: "patch" })}\n`);
    expect(verbs(tail)).toEqual(["create services", "patch services"]);
  });
});
