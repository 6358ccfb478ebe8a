/** What the API server answers when it says no. Touches nothing. */

/** An answer that says no. */
export class ApiError extends Error {
  readonly status: number;
  /** Machine-readable word of the API server, such as `AlreadyExists`. */
  readonly reason: string;
  constructor(what: string, status: number, reason: string, message: string) {
    super(`${what}: ${String(status)} ${reason}: ${message}`);
    this.name = "ApiError";
    this.status = status;
    this.reason = reason;
  }
}

/** Whether the API server refused because somebody else was first. */
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;
/** Whether the object does not exist. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
/** Whether the revision is too old to be watched from. */
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 410;
/** Whether the object can't be stored as it is. */
export const isInvalid = (error: unknown): boolean => error instanceof ApiError && error.status === 422;
/** Whether the same call may be answered otherwise later: there was no answer, or the API server was busy, unwell, or newly started. */
export const mayPass = (error: unknown): boolean =>
  !(error instanceof ApiError) || [403, 429].includes(error.status) || error.status >= 500;
