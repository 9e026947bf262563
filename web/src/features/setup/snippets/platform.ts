/** One step of a guide: words, and what to run or to write. */
export interface Step {
  title: string;
  code: string;
  /** Colours the code; plain for commands. */
  language?: string;
}

export interface Platform {
  /** As the API names it, with the framework after a dash. */
  id: string;
  name: string;
  family: string;
  steps: (dsn: string) => Step[];
}
