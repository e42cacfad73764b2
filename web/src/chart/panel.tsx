/** One section of the chart with its heading; says so when there is nothing in it. */
import type { ReactNode } from 'react';

export function Panel({
  anchor,
  title,
  size,
  empty,
  children,
}: {
  anchor: string;
  title: string;
  size: number;
  empty: string;
  children: ReactNode;
}) {
  return (
    <section className="panel" id={anchor} aria-labelledby={`${anchor}-title`}>
      <h2 id={`${anchor}-title`}>
        {title} {size > 0 && <span className="quiet small">{size}</span>}
      </h2>
      {size === 0 ? (
        <p className="quiet small" style={{ margin: 0 }}>
          {empty}
        </p>
      ) : (
        children
      )}
    </section>
  );
}
