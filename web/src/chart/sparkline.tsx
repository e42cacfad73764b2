/** A trend in the size of a word: the line, and the newest point marked. */
import type { ResultValue } from '../fhir/results.ts';

type Point = NonNullable<ResultValue['point']>;

const [WIDTH, HEIGHT, EDGE] = [84, 22, 3];

export function Sparkline({ points, label }: { points: Point[]; label: string }) {
  const first = points[0]!;
  const last = points.at(-1)!;
  const values = points.map((point) => point.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (point: Point) => EDGE + ((point.at - first.at) / (last.at - first.at || 1)) * (WIDTH - 2 * EDGE);
  const y = (point: Point) => HEIGHT - EDGE - ((point.value - low) / (high - low || 1)) * (HEIGHT - 2 * EDGE);
  const words = `${label}: ${points.length} values from ${first.value} to ${last.value} ${last.unit}`;
  return (
    <svg className="sparkline" width={WIDTH} height={HEIGHT} role="img" aria-label={words}>
      <polyline
        points={points.map((point) => `${x(point).toFixed(1)},${y(point).toFixed(1)}`).join(' ')}
        fill="none"
        stroke="var(--mantine-color-anchor)"
        strokeWidth="1.5"
      />
      <circle cx={x(last)} cy={y(last)} r="2.5" fill="var(--mantine-color-anchor)" />
    </svg>
  );
}
