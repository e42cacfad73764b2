/**
 * Questions that arrive together are answered together, since fifty in one statement cost little more than one. While
 * as many answers are under way as may be, further questions gather.
 */
export class Together<Question> {
  readonly #answer: (questions: Question[]) => Promise<void>;
  readonly #atOnce: number;
  readonly #most: number;
  #waiting: Question[] = [];
  #underWay = 0;

  /**
   * @param answer answers questions, and never rejects
   * @param limits answers under way at once; questions in one
   */
  constructor(answer: (questions: Question[]) => Promise<void>, limits: { atOnce: number; most: number }) {
    this.#answer = answer;
    this.#atOnce = limits.atOnce;
    this.#most = limits.most;
  }

  ask(question: Question): void {
    this.#waiting.push(question);
    if (this.#underWay === this.#atOnce) return;
    this.#underWay++;
    setImmediate(() => void this.#work());
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) await this.#answer(this.#waiting.splice(0, this.#most));
    this.#underWay--;
  }
}
