/** The name with its sign: a road over an arch. */
export function Logo({ size = 26 }: { size?: number }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 8, fontWeight: 700, fontSize: size * 0.68 }}>
      <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#0b5563" />
        <path
          d="M4 21h24M7 21c0-5 3.6-8 9-8s9 3 9 8M16 13v8M11.5 14.2V21M20.5 14.2V21"
          fill="none"
          stroke="#fff"
          strokeWidth="2.2"
          strokeLinecap="round"
        />
      </svg>
      Causeway
    </span>
  );
}
