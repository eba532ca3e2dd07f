/** How many properties the form chooses, asked of the server. */
export interface Count {
  problem: string;
  fits: number;
  taken: number;
  parcels: string[];
}

/** Sends the form as it stands; null when the answer did not come. */
export async function askCount(form: HTMLFormElement, address: string): Promise<Count | null> {
  try {
    const response = await fetch(address, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Requested-With": "fetch" },
      credentials: "same-origin",
    });
    return response.ok && !response.redirected ? ((await response.json()) as Count) : null;
  } catch {
    return null;
  }
}

export function sayCount(count: Count | null): string {
  if (!count) return "The count did not come; Preview has it.";
  if (count.problem) return count.problem;
  if (!count.fits) return "No property chosen";
  const fits = count.fits.toLocaleString("en-US");
  const noun = count.fits === 1 ? "property" : "properties";
  if (count.taken >= count.fits) return `${fits} ${noun} chosen`;
  return `${fits} ${noun} fit; at most ${count.taken.toLocaleString("en-US")} are taken`;
}
