import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { dueIn, renewed, servingOf, type Data } from "../../cluster/certificates.ts";

const HOST = "pepr-berth.pepr-system.svc";
const DAY = 86_400_000;
const start = Date.parse("2026-11-24T20:00:00Z");
const made = renewed({}, "all", HOST, start);
const days = (count: number): number => start + count * DAY;

const bundleOf = (data: Data): X509Certificate[] =>
  (data["ca.crt"] ?? "").split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem));
const isTrusted = (data: Data): boolean => {
  const server = new X509Certificate(data["tls.crt"] ?? "");
  return bundleOf(data).some(({ publicKey }) => server.verify(publicKey));
};

describe("what is made where there is nothing", () => {
  it("is a server's certificate for the webhooks' Service that the authority has signed, and a path", () => {
    expect(dueIn({}, HOST, start)).toBe("all");
    expect(dueIn(made, HOST, start)).toBe("nothing");
    expect(isTrusted(made)).toBe(true);
    expect(new X509Certificate(made["tls.crt"] ?? "").subjectAltName).toBe(`DNS:${HOST}`);
    expect(servingOf(made)?.path).toMatch(/^[0-9a-f]{64}$/);
  });

  it("holds also by a clock that is an hour behind", () => {
    expect(new X509Certificate(made["tls.crt"] ?? "").validFromDate.getTime()).toBe(start - 3_600_000);
  });
});

describe("over the years", () => {
  it("is there always a certificate that holds, which those trust who knew the authorities a week before", () => {
    let data = made;
    for (let day = 0; day < 30 * 365; day += 7) {
      const known = data["ca.crt"] ?? "";
      data = renewed(data, dueIn(data, HOST, days(day)), HOST, days(day));
      const server = new X509Certificate(data["tls.crt"] ?? "");
      const trusted = bundleOf({ "ca.crt": known }).filter((one) => one.validToDate.getTime() > days(day));
      expect(trusted.some(({ publicKey }) => server.verify(publicKey))).toBe(true);
      expect(server.validToDate.getTime()).toBeGreaterThan(days(day + 22));
      expect(data["path"]).toBe(made["path"]);
    }
    expect(bundleOf(data)).toHaveLength(2);
  });
});

describe("what can't be used is made anew", () => {
  const other = renewed({}, "all", HOST, start);
  it.each([
    { what: "a server's certificate of another authority", change: { "tls.crt": other["tls.crt"] }, due: "server" },
    { what: "a key that is not the certificate's", change: { "tls.key": other["tls.key"] }, due: "server" },
    { what: "a certificate that is none", change: { "tls.crt": "none" }, due: "server" },
    { what: "an authority's key that is not the certificate's", change: { "ca.key": other["ca.key"] }, due: "all" },
    { what: "no authority", change: { "ca.crt": "" }, due: "all" },
    { what: "a path that can be guessed", change: { path: "mutate" }, due: "all" },
  ])("$what", ({ change, due }) => {
    const broken = { ...made, ...change } as Data;
    expect(dueIn(broken, HOST, start)).toBe(due);
    const next = renewed(broken, dueIn(broken, HOST, start), HOST, start);
    expect(dueIn(next, HOST, start)).toBe("nothing");
    expect(isTrusted(next)).toBe(true);
  });

  it("what is for another name in the DNS", () => {
    expect(dueIn(made, "pepr-other.pepr-system.svc", start)).toBe("server");
  });

  it("after the authority has ended, but for the path, which a process reads only once", () => {
    const late = days(3_651);
    expect(dueIn(made, HOST, late)).toBe("all");
    const next = renewed(made, "all", HOST, late);
    expect([bundleOf(next).length, next["path"]]).toEqual([1, made["path"]]);
  });
});
