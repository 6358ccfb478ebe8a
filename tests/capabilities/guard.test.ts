/** A review that fails by a bug or for want of the API server still answers in words, never as `{}`. */
import { expect, it, test } from "vitest";
import { guarded } from "../../capabilities/guard.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { kinds, type ApiObject } from "../../cluster/kinds.ts";
import { announcements } from "../../capabilities/announcements.ts";
import { pools } from "../../capabilities/pools.ts";
import { services } from "../../capabilities/services.ts";
import { advertisement, pool, service, validateRequest } from "../support/builders.ts";

it.each([
  { rule: "throws", review: () => expect.fail("a bug") },
  { rule: "rejects", review: () => Promise.reject(new Error("ETIMEDOUT")) },
])("a review that $rule gives the other answer", async ({ review }) => {
  const request = { Request: { name: "web" } };
  const answer = guarded(review, ({ Request }) => ({ allowed: false, statusMessage: `${Request.name} in words` }));
  expect(await answer(request)).toEqual({ allowed: false, statusMessage: "web in words" });
});

/** A cluster in which every question fails. */
const broken = new Proxy({} as Cluster, {
  get: () => {
    throw new TypeError("a bug");
  },
});

const unchecked = (thing: string): object => ({
  allowed: false,
  statusMessage: `${thing} could not be checked; try again, and see the logs in pepr-system`,
});

test.each<{ what: string; plural: string; object: ApiObject; operation?: "DELETE"; answer: object }>([
  {
    what: "a Service is admitted with a Warning",
    plural: kinds.services.plural,
    object: service("default/web"),
    answer: {
      allowed: true,
      warnings: ['Service "web" could not be checked; see kubectl describe for its address'],
    },
  },
  {
    what: "a pool is denied",
    plural: kinds.pools.plural,
    object: pool("lan", ["10.0.0.0/24"]),
    answer: unchecked('IPAddressPool "lan"'),
  },
  {
    what: "a pool's deletion is denied",
    plural: kinds.pools.plural,
    object: pool("lan", ["10.0.0.0/24"]),
    operation: "DELETE",
    answer: unchecked('IPAddressPool "lan"'),
  },
  {
    what: "an advertisement is denied",
    plural: kinds.advertisements.plural,
    object: advertisement("l2", { nodeSelectors: 5 as never }),
    answer: unchecked('L2Advertisement "l2"'),
  },
])("where the review itself fails, $what", async ({ plural, object, operation, answer }) => {
  const [binding] = [services, pools, announcements]
    .flatMap((part) => part(broken).capability.bindings)
    .filter(({ kind, isValidate, event }) => {
      const isKind = `${kind.kind.toLowerCase()}s` === plural && isValidate === true;
      return isKind && (operation === undefined) === !event.startsWith("DELETE");
    });
  const parts = operation === undefined ? {} : { operation };
  expect(await binding?.validateCallback?.(validateRequest(object, parts))).toMatchObject(answer);
});
