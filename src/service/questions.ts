import type { Question } from './messages.ts';

/** A mail process that can be asked. */
export interface Respondent {
  /** @returns undefined when no answer came in time */
  question(question: Question, timeoutMs: number): Promise<boolean | undefined>;
}

/** A process that has not answered by then counts as a no, because mail is waiting. */
const answerMs = 500;

/** Asks all of them; the first `true` wins. False when nobody says so in time. */
export function askAll(question: Question, respondents: readonly Respondent[]): Promise<boolean> {
  return new Promise((resolve) => {
    const answers = respondents.map(async (respondent) => {
      if (await respondent.question(question, answerMs)) resolve(true);
    });
    void Promise.all(answers).then(() => resolve(false));
  });
}
