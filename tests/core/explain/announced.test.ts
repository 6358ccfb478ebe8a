/** What a Service says of its being announced. */
import { expect, it, test } from "vitest";
import type { Announcement } from "../../../core/announce/announcement.ts";
import { announcementOf, answerersOf } from "../../../core/announce/announcement.ts";
import type { NodeReason, NotAnnounced } from "../../../core/announce/plan-types.ts";
import { announcedCondition } from "../../../core/explain/announced.ts";
import { addressFrom } from "../builders.ts";
import { IP, node, plannerOf, report, service, three, type World } from "../announce/planning.ts";

const web = { namespace: "default", name: "web" };
const ip = "192.168.1.205";
const excluded = (name: string) => ({ node: name, reason: "excludedByLabel" as const });

const notAnnounced = (parts: Pick<NotAnnounced, "reason"> & Partial<NotAnnounced>): Announcement => ({
  kind: "notAnnounced",
  problem: { service: web, ip, pool: "network/homelab-pool", nodes: [], ...parts },
});

const waiting = (...reasons: readonly (string | undefined)[]): Announcement => ({
  kind: "waiting",
  service: web,
  ip,
  candidates: reasons.map((reason, index) => ({
    node: `node-${String(index + 1)}`,
    isReady: reason !== "gone",
    reason: reason === "gone" ? undefined : reason,
  })),
});

const nodeReasons: Readonly<Record<NodeReason, string>> = {
  networkUnavailable: "has no network (condition NetworkUnavailable)",
  excludedByLabel: "has the label node.kubernetes.io/exclude-from-external-load-balancers",
  notSelected: "is chosen by no L2Advertisement",
  sharersDisagree: "is not chosen, on one interface, for all Services that share the address",
  noLocalEndpoint: "has no ready endpoint (externalTrafficPolicy Local)",
};

const none = `Service "default/web" has ${ip}, which no node announces`;
const silent = `Service "default/web" has ${ip}, which no node answers for yet`;
const logs = "see kubectl logs -n metallb-system -l component=announcer";

test.each<{ announcement: Announcement; status?: string; reason: string; message: string }>([
  {
    announcement: {
      kind: "announced",
      service: web,
      addresses: [
        { ip, node: "node-1", interfaces: ["lan0", "lan1"] },
        { ip: "fd00::1", node: "node-2", interfaces: [] },
      ],
    },
    status: "True",
    reason: "Announced",
    message: `Node "node-1" announces ${ip} on lan0 and lan1, Node "node-2" announces fd00::1`,
  },
  {
    announcement: notAnnounced({ reason: "noEndpoints" }),
    reason: "NoEndpoints",
    message: `${none}, since it has no ready endpoint; start a pod that its selector matches`,
  },
  {
    announcement: notAnnounced({ reason: "noMatchingAdvertisement" }),
    reason: "NoMatchingAdvertisement",
    message: `${none}, since no L2Advertisement takes in IPAddressPool "network/homelab-pool" and this Service; create one`,
  },
  {
    announcement: notAnnounced({ reason: "sharerNotAdvertised", sharer: { namespace: "default", name: "dns" } }),
    reason: "SharerNotAdvertised",
    message: `${none}, since Service "default/dns" shares an address with it and no L2Advertisement takes that one in; create one that does`,
  },
  {
    announcement: notAnnounced({ reason: "noEligibleNode" }),
    reason: "NoEligibleNode",
    message: `${none}: there is no node; make one node eligible`,
  },
  ...Object.entries(nodeReasons).map(([reason, words]) => ({
    announcement: notAnnounced({
      reason: "noEligibleNode",
      nodes: [{ node: "node-1", reason: reason as NodeReason }, excluded("node-2")],
    }),
    reason: "NoEligibleNode",
    message: `${none}: Node "node-1" ${words}, Node "node-2" ${nodeReasons.excludedByLabel}; make one node eligible`,
  })),
  {
    announcement: waiting(undefined, "gone", "notFirst", "notACandidate", "stopping"),
    reason: "WaitingForAnnouncer",
    message: `${silent}: Node "node-1" has not reported on it, Node "node-2" is not ready, or no announcer runs there, Node "node-3" waits for a node before it, Node "node-4" has an older plan, Node "node-5" is stopping; ${logs}`,
  },
  {
    announcement: waiting("interfaceMissing", "interfaceUnusable", "noUsableInterface", "somethingNew"),
    reason: "WaitingForAnnouncer",
    message: `${silent}: Node "node-1" has none of the interfaces that its L2Advertisements name, Node "node-2" can't use the interfaces that its L2Advertisements name, Node "node-3" has no usable interface, Node "node-4" reports "somethingNew"; ${logs}`,
  },
])("the condition says $reason: $message", ({ announcement, status = "False", reason, message }) => {
  expect(announcedCondition(announcement)).toEqual({ status, reason, message });
});

it("of many nodes five are named and the rest is counted", () => {
  const nodes = ["a", "b", "c", "d", "e", "f", "g"].map(excluded);
  const { message } = announcedCondition(notAnnounced({ reason: "noEligibleNode", nodes }));
  expect(message).toMatch(/Node "e" [^"]+, and 2 more nodes; make one node eligible$/);
  expect(message).not.toContain('"f"');
});

const standing = (parts: Partial<World> = {}) => announcementOf(web, plannerOf(parts));
const dual = [service({ addresses: [addressFrom(IP), addressFrom("fd00::1")] })];

test.each<{ rule: string; world: Partial<World>; kind: Announcement["kind"] | undefined }>([
  { rule: "announced when a candidate answers", world: { answering: { "node-1": [IP] } }, kind: "announced" },
  { rule: "waiting until then", world: {}, kind: "waiting" },
  {
    rule: "waiting while only one of two addresses is answered for",
    world: { services: dual, answering: { "node-1": [IP] } },
    kind: "waiting",
  },
  {
    rule: "announced when both are",
    world: { services: dual, answering: { "node-1": [IP, "fd00::1"] } },
    kind: "announced",
  },
  {
    rule: "waiting where only a node says so that is not ready, since a dead one leaves its report",
    world: { nodes: [node("node-1", { ready: false }), ...three.slice(1)], answering: { "node-1": [IP] } },
    kind: "waiting",
  },
  { rule: "not announced where there is no candidate", world: { advertisements: [] }, kind: "notAnnounced" },
  { rule: "nothing while it has no address", world: { services: [] }, kind: undefined },
])("a Service is $rule", ({ world, kind }) => {
  expect(standing(world)?.kind).toBe(kind);
});

it("who answers is the first candidate that says so, and only a candidate", () => {
  const planner = plannerOf({ nodes: three, answering: { "node-1": [IP] } });
  planner.setReport("node-9", report([IP]));
  planner.setReport("node-2", report([IP], ["lan1", "lan0"]));
  planner.update();
  expect(answerersOf("default/web", planner)).toEqual([{ ip: IP, node: "node-2", interfaces: ["lan0", "lan1"] }]);
});
