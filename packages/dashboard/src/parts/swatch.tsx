/** A piece of a curve's line, as a legend shows it. */
export function Swatch({ colour, dash }: { colour: string; dash?: readonly number[] | undefined }) {
  return (
    <svg class="swatch" viewBox="0 0 30 4" width="30" height="4" aria-hidden="true" style={{ color: `var(${colour})` }}>
      <line x1="0" y1="2" x2="30" y2="2" stroke="currentColor" stroke-width="2.5" stroke-dasharray={dash?.join(" ")} />
    </svg>
  );
}
