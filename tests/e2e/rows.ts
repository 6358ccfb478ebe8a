/** A room for the rows of a table: each has pools of its own, in addresses that no other row uses. */
import { afterAll, beforeAll, expect } from "vitest";
import { until } from "../../hack/src/shell.ts";
import { lab } from "./lab.ts";
import { Person, type Applied, type Wish } from "./people.ts";

/** A pool for the room's namespace, unless others are named. */
export type RowPool = {
  readonly addresses: readonly string[];
  readonly autoAssign?: boolean;
  readonly avoidBuggyIPs?: boolean;
  readonly priority?: number;
  readonly namespaces?: readonly string[];
  readonly namespaceSelectors?: readonly object[];
  readonly serviceSelectors?: readonly object[];
  /** Without a serviceAllocation: for the Services of all namespaces, of other tests too. */
  readonly isForAll?: true;
  readonly annotations?: Readonly<Record<string, string>>;
};

/**
 * A room in a namespace of its own, which is there from the first test of the file to the last. Gives what gives the room, since
 * that is not there before. Files on one lab name blocks of their own.
 */
export function rowsIn(namespace: string, block: number): () => Rows {
  const cell: { rows?: Rows } = {};
  const rows = (): Rows => cell.rows!;
  beforeAll(async () => {
    const target = await lab();
    await target.kubectl(["create", "namespace", namespace]);
    cell.rows = new Rows(new Person(target, namespace), block);
  });
  afterAll(async () => {
    await rows().clear();
    await rows().someone.target.kubectl(["delete", "namespace", namespace]);
  });
  return rows;
}

/** In every text of a row, `$` stands for the first three octets that are its own, and `@` for the first three groups. */
export class Rows {
  readonly someone: Person;
  readonly #block: number;
  #row = 0;

  /** Rows of the person's namespace; their addresses are of 10.block.0.0/16 and fd00:block::/32. */
  constructor(someone: Person, block: number) {
    this.someone = someone;
    this.#block = block;
  }

  /** Begins the next row: nothing is left of the former one, and these pools are there, by name. */
  async begin(pools: Readonly<Record<string, RowPool>>): Promise<void> {
    await this.clear();
    this.#row += 1;
    const items = Object.entries(pools).map(([name, pool]) => this.#pool(name, pool));
    // kubectl applies no empty list.
    if (items.length > 0) await this.someone.put({ apiVersion: "v1", kind: "List", items });
  }

  /** `kubectl apply` of a pool of this row. */
  put(name: string, pool: RowPool): Promise<void> {
    return this.someone.put(this.#pool(name, pool));
  }

  /** The sentence with which a pool is denied. */
  putDenied(name: string, pool: RowPool): Promise<string> {
    return this.someone.putDenied(this.#pool(name, pool));
  }

  apply(name: string, wish: Wish = {}): Promise<Applied> {
    return this.someone.apply(name, this.fill(wish));
  }

  denied(name: string, wish: Wish = {}): Promise<string> {
    return this.someone.denied(name, this.fill(wish));
  }

  /** kubectl's complaint about an apply, of which nothing is stored; empty where it would be admitted. */
  async refusalOf(name: string, wish: Wish = {}): Promise<string> {
    const { target } = this.someone;
    const object = this.someone.service(name, this.fill(wish));
    const dryRun = ["apply", "--dry-run=server", "-f", "-"];
    const { code, stderr } = await target.tryKubectl(dryRun, JSON.stringify(object));
    return code === 0 ? "" : stderr;
  }

  /** Where the Service is once its status and its annotation say the same. */
  async settlesAt(name: string, addresses: string): Promise<void> {
    await expect.poll(() => this.someone.shownOf(name), { timeout: 30_000 }).toBe(this.fill(addresses));
    expect(await this.someone.addressOf(name)).toBe(this.fill(addresses));
  }

  /** Nothing happens for as long as the watcher takes to look at a change, and longer. */
  async staysAt(name: string, addresses: string): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await this.settlesAt(name, addresses);
  }

  /** The same with the row's own addresses. */
  fill<T>(value: T): T {
    const [block, row] = [String(this.#block), String(this.#row)];
    const text = JSON.stringify(value).replaceAll("$", `10.${block}.${row}`).replaceAll("@", `fd00:${block}:${row}`);
    return JSON.parse(text) as T;
  }

  /** Deletes the Services of the namespace, and then its pools. */
  async clear(): Promise<void> {
    const { target, namespace } = this.someone;
    await target.kubectl(["delete", "svc", "--all", "-n", namespace]);
    const pools = ["delete", "ipaddresspool", "--all", "-n", namespace];
    // An admission pod may not have heard yet that the Services are gone.
    await until("the pools to go", 20_000, 200, async () =>
      (await target.tryKubectl(pools)).code === 0 ? true : undefined,
    );
  }

  #pool(name: string, pool: RowPool): object {
    const { addresses, autoAssign, avoidBuggyIPs, isForAll, annotations, ...chosen } = pool;
    const { namespace } = this.someone;
    const serviceAllocation = isForAll ? undefined : { namespaces: [namespace], ...chosen };
    return this.fill({
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { namespace, name, annotations },
      spec: { addresses, autoAssign, avoidBuggyIPs, serviceAllocation },
    });
  }
}
