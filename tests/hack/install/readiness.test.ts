import { describe, expect, it } from "vitest";
import { isReady, obstacleIn, printProgress, progressOf } from "../../../hack/src/install/readiness.ts";

const deployment = (status: object, generation = 2): object => ({
  kind: "Deployment",
  metadata: { generation },
  spec: { replicas: 2 },
  status,
});

describe("a part", () => {
  it("is ready when its newest version is, and its controller has seen that", () => {
    const done = { observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2 };
    expect(isReady(progressOf("admission", deployment(done)))).toBe(true);
    expect(isReady(progressOf("admission", deployment({ ...done, observedGeneration: 1 })))).toBe(false);
    expect(isReady(progressOf("admission", deployment({ ...done, updatedReplicas: 1 })))).toBe(false);
    expect(isReady(progressOf("admission", deployment({})))).toBe(false);
    expect(isReady(progressOf("admission", undefined))).toBe(false);
  });

  it("is ready as a DaemonSet when each of its nodes is, and not while it has none", () => {
    const of = (numbers: object): boolean =>
      isReady(
        progressOf("announcers", {
          kind: "DaemonSet",
          metadata: { generation: 1 },
          status: { observedGeneration: 1, ...numbers },
        }),
      );
    expect(of({ desiredNumberScheduled: 3, numberReady: 3, updatedNumberScheduled: 3 })).toBe(true);
    expect(of({ desiredNumberScheduled: 3, numberReady: 3, updatedNumberScheduled: 2 })).toBe(false);
    expect(of({ desiredNumberScheduled: 0 })).toBe(false);
  });

  it("is printed as ready of wanted", () => {
    expect(printProgress([progressOf("admission", deployment({ readyReplicas: 1, updatedReplicas: 2 }))])).toBe(
      "admission 1/2",
    );
  });
});

describe("what holds pods up", () => {
  const pod = (status: object): object => ({
    metadata: { namespace: "pepr-system", name: "pepr-berth-1" },
    spec: { nodeName: "node-1" },
    status,
  });
  const waiting = (reason: string): object =>
    pod({
      containerStatuses: [
        {
          image: "berth.dev/operator:0.1.0",
          state: { waiting: { reason } },
          lastState: { terminated: { exitCode: 1 } },
        },
      ],
    });

  it("is nothing while they are merely starting", () => {
    expect(obstacleIn([waiting("ContainerCreating"), pod({})])).toBeUndefined();
  });

  it("is an image that a node can't get, by name, with what to do", () => {
    for (const reason of ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"]) {
      expect(obstacleIn([waiting(reason)])).toMatchObject({
        isImage: true,
        text: expect.stringMatching(/node-1 .*berth.dev\/operator:0.1.0.*hack\/images/) as string,
      });
    }
  });

  it("is a process that ends again and again, with the command that shows why", () => {
    expect(obstacleIn([waiting("CrashLoopBackOff")])?.text).toContain(
      "kubectl logs -n pepr-system pepr-berth-1 --previous",
    );
  });

  it("is a pod for which there is no node, in the scheduler's words", () => {
    const conditions = [
      { type: "PodScheduled", status: "False", message: "0/1 nodes are available: 1 Insufficient cpu." },
    ];
    expect(obstacleIn([pod({ conditions })])?.text).toContain("Insufficient cpu");
  });
});
