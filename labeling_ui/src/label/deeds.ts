import type { Engram } from "../api/engram";
import { ApiError } from "../api/problem";
import type { Answered, Retracted, SkipReason } from "../api/types";
import type { KeptAnswer } from "./answer_store";
import type { Question } from "./question";

export interface AnswerDeed {
  kind: "answer";
  question: Question;
  label: string;
  durationMs: number;
  idempotencyKey: string;
  /** The lease it is sent under, fixed at the first attempt. */
  leaseToken: string | null;
  labelId: string | null;
  /** Kept, and learned only once others have answered too. */
  pending: boolean;
}

export type Deed =
  | AnswerDeed
  | { kind: "retract"; answer: AnswerDeed }
  | { kind: "skip"; question: Question; reason: SkipReason; idempotencyKey: string }
  | { kind: "resend"; kept: KeptAnswer };

/** What became of a deed, for those cases where something must follow. */
export interface Outcomes {
  beforeAnswer(answer: AnswerDeed): void;
  acknowledged(answer: AnswerDeed, result: Answered): void;
  answerRefused(answer: AnswerDeed, problem: ApiError): void;
  retracted(answer: AnswerDeed, result: Retracted): void;
  retractionRefused(answer: AnswerDeed, problem: ApiError): void;
  resent(kept: KeptAnswer, problem: ApiError | null): void;
}

/** Sends one deed; throws only what a later try may mend. */
export function delivery(api: Engram, outcomes: Outcomes): (deed: Deed) => Promise<void> {
  return async (deed) => {
    switch (deed.kind) {
      case "answer":
        return deliverAnswer(api, outcomes, deed);
      case "retract":
        return deliverRetraction(api, outcomes, deed.answer);
      case "skip":
        return deliverSkip(api, deed.question, deed.reason, deed.idempotencyKey);
      case "resend":
        return deliverAgain(api, outcomes, deed.kept);
    }
  };
}

async function deliverAnswer(api: Engram, outcomes: Outcomes, deed: AnswerDeed): Promise<void> {
  deed.leaseToken ??= deed.question.leaseToken;
  if (deed.leaseToken === null) return;
  outcomes.beforeAnswer(deed);
  const { question, label, durationMs, idempotencyKey, leaseToken } = deed;
  const options = { idempotencyKey, keepalive: true };
  const sent = api.answer(question.query.id, leaseToken, label, durationMs, options);
  const result = await settled(sent);
  if (result instanceof ApiError) outcomes.answerRefused(deed, result);
  else outcomes.acknowledged(deed, result);
}

async function deliverRetraction(api: Engram, outcomes: Outcomes, answer: AnswerDeed) {
  const { labelId, pending, question } = answer;
  if (labelId === null && !pending) return;
  const sent = labelId === null ? api.retractAnswer(question.query.id) : api.retract(labelId);
  const result = await settled(sent);
  if (result instanceof ApiError) outcomes.retractionRefused(answer, result);
  else outcomes.retracted(answer, result);
}

async function deliverSkip(api: Engram, question: Question, reason: SkipReason, key: string) {
  if (question.leaseToken === null) return;
  const options = { idempotencyKey: key };
  await settled(api.skip(question.query.id, question.leaseToken, reason, options));
}

async function deliverAgain(api: Engram, outcomes: Outcomes, kept: KeptAnswer): Promise<void> {
  const { queryId, leaseToken, label, durationMs, idempotencyKey } = kept;
  const sent = api.answer(queryId, leaseToken, label, durationMs, { idempotencyKey });
  const result = await settled(sent);
  outcomes.resent(kept, result instanceof ApiError ? result : null);
}

/** The result, or the refusal that no later try will change. */
async function settled<T>(sent: Promise<T>): Promise<T | ApiError> {
  try {
    return await sent;
  } catch (error) {
    if (error instanceof ApiError && !error.passing) return error;
    throw error;
  }
}
