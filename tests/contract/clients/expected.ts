export function expect(actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`expected ${other}, not ${one}`);
}

/** What a refused request was told, of a client that throws an error with the response. */
export async function problemOf<Problem>(refused: Promise<unknown>): Promise<Problem> {
  try {
    await refused;
  } catch (error) {
    if (error instanceof Error && "response" in error) return (error.response as Response).json();
    throw error;
  }
  throw new Error("it was accepted");
}
