/** The trend of one test in one unit over time, each result's own reference range as limits behind it. */
import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { ResultValue } from '../fhir/results.ts';

type Point = NonNullable<ResultValue['point']>;

export default function TrendPlot({ name, unit, points }: { name: string; unit: string; points: Point[] }) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const style = getComputedStyle(element);
    // The scheme decides what these variables hold, which is why the plot is made anew when it changes.
    const colors = {
      scheme,
      line: style.getPropertyValue('--mantine-color-anchor'),
      limit: style.getPropertyValue('--tone-warn-edge'),
      text: style.getPropertyValue('--mantine-color-text'),
      grid: style.getPropertyValue('--line'),
    };
    const plot = new uPlot(options(element.clientWidth, unit, colors), columns(points), element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [points, unit, scheme]);
  return (
    <div
      ref={place}
      role="img"
      aria-label={`Trend of ${name} in ${unit || 'no unit'}; the values are in the table below`}
    />
  );
}

const HEIGHT = 190;

function columns(points: Point[]): uPlot.AlignedData {
  return [
    points.map((point) => point.at / 1000),
    points.map((point) => point.value),
    points.map((point) => point.low ?? null),
    points.map((point) => point.high ?? null),
  ];
}

function options(
  width: number,
  unit: string,
  colors: Record<'line' | 'limit' | 'text' | 'grid', string>,
): uPlot.Options {
  const axis = { stroke: colors.text, grid: { stroke: colors.grid, width: 1 }, ticks: { stroke: colors.grid } };
  const limit = { stroke: colors.limit, width: 1, dash: [4, 4], points: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: true, live: true },
    cursor: { drag: { x: true, y: false } },
    scales: { x: { time: true } },
    axes: [axis, { ...axis, label: unit, labelSize: 18, size: 54 }],
    series: [
      { label: 'When' },
      { label: unit || 'Value', stroke: colors.line, width: 2, points: { show: true, size: 7, fill: colors.line } },
      { label: 'Lower limit', ...limit },
      { label: 'Upper limit', ...limit },
    ],
  };
}
