/**
 * Makes a job that may be asked for at any rate run at most once per `gapMs`,
 * at once when idle, and once more after the last request.
 */
export function throttled(job: () => Promise<void>, gapMs: number): () => void {
  let resting = false;
  let wanted = false;

  async function run(): Promise<void> {
    resting = true;
    wanted = false;
    try {
      await job();
    } finally {
      setTimeout(() => {
        resting = false;
        if (wanted) void run();
      }, gapMs);
    }
  }

  return () => {
    if (resting) wanted = true;
    else void run();
  };
}
