/** The last catch around Validate: a throw there would reach people as `{}`. */
import { log } from "../cluster/log.ts";

/** What Pepr's Validate answers with. */
export type Answer = {
  allowed: boolean;
  statusCode?: number;
  statusMessage?: string;
  warnings?: string[];
};

/** The answer of a review, or of `otherwise` where it failed by a bug or for want of the API server. */
export function guarded<R extends { readonly Request: { readonly name: string } }>(
  review: (request: R) => Answer | Promise<Answer>,
  otherwise: (request: R) => Answer,
): (request: R) => Promise<Answer> {
  return async (request) => {
    try {
      return await review(request);
    } catch (err) {
      log.error({ err, name: request.Request.name }, "review failed");
      return otherwise(request);
    }
  };
}
