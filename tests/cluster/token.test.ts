/** The token that calls carry, where it stands in a file that kubelet writes anew. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { apiOver } from "../../cluster/api.ts";
import { kinds, type IPAddress } from "../../cluster/kinds.ts";
import { connect } from "../../cluster/transport.ts";
import { HttpsApi } from "../support/https-api.ts";

let server: HttpsApi;
let token: string;
let ask: () => Promise<IPAddress | undefined>;
beforeEach(async () => {
  server = await HttpsApi.listen();
  token = `${server.kubeconfig}-token`;
  writeFileSync(token, "first");
  const provider = JSON.stringify({ name: "tokenFile", config: { tokenFile: token } });
  const kubeconfig = readFileSync(server.kubeconfig, "utf8");
  writeFileSync(server.kubeconfig, kubeconfig.replace('"token":"secret"', `"auth-provider":${provider}`));
  vi.stubEnv("KUBECONFIG", server.kubeconfig);
  vi.useFakeTimers({ toFake: ["performance", "Date"] });
  const api = apiOver(await connect());
  ask = () => api.get(kinds.claims, { name: "10.0.0.1" });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await server.close();
});

const tokens = () => server.received.map(({ headers }) => headers.authorization);

it("is read again once it is old", async () => {
  await ask();
  writeFileSync(token, "second");
  await ask();
  vi.advanceTimersByTime(61_000);
  await ask();
  expect(tokens()).toEqual(["Bearer first", "Bearer first", "Bearer second"]);
});

it("that can't be read fails the call that wants it, and none after it", async () => {
  await ask();
  rmSync(token);
  vi.advanceTimersByTime(61_000);
  await expect(ask()).rejects.toThrow(/ENOENT/);
  writeFileSync(token, "second");
  await ask();
  expect(tokens()).toEqual(["Bearer first", "Bearer second"]);
});
