import { expect, test } from "vitest";
import { watchPresence } from "../../src/label/presence";

test.each(["keydown", "pointermove", "pointerdown", "wheel", "touchmove"])(
  "%s is a sign of life, until nobody watches",
  (sign) => {
    const page = new EventTarget();
    let signs = 0;
    const leave = watchPresence(page, () => signs++);
    page.dispatchEvent(new Event(sign));
    expect(signs).toBe(1);
    leave();
    page.dispatchEvent(new Event(sign));
    expect(signs).toBe(1);
  },
);
