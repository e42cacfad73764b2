/** `Location?near=latitude|longitude|distance|units` (FHIR R4 §8.7.5.1): great-circle distance, a box by the index first. */

import { positionCodes } from '../index-entries.ts';
import { parameterNumber } from '../keys.ts';
import { anyOf, lazily, type Predicate, type SearchContext } from './predicate.ts';
import { splitAt } from './values.ts';
import { wrong } from './wrong.ts';

const earthKm = 6371.0088;
const kmPerDegree = (Math.PI * earthKm) / 180;
const defaultKm = 10;
const kmPer: Record<string, number> = {
  km: 1,
  m: 0.001,
  '[mi_us]': 1.609347,
  '[mi_i]': 1.609344,
  mi: 1.609344,
  '[ft_i]': 0.0003048,
};

export function near(context: SearchContext, type: string, values: readonly string[]): Predicate {
  return anyOf(
    context,
    values.map((value) => around(context, type, value)),
  );
}

function around(context: SearchContext, type: string, value: string): Predicate {
  const { latitude, longitude, km } = readPlace(value);
  const number = (part: 'latitude' | 'longitude') =>
    `${context.parameter(String(parameterNumber(type, positionCodes[part])))}::bigint`;
  const box = boxAround(latitude, longitude, km);
  const made = lazily(() => {
    const float = (of: number) => `${context.parameter(of)}::float8`;
    const [lat, lon] = [float(latitude), float(longitude)];
    const distance = `2 * ${earthKm} * asin(least(1, sqrt(power(sin(radians(a.low - ${lat}) / 2), 2)
      + cos(radians(${lat})) * cos(radians(a.low)) * power(sin(radians(o.low - ${lon}) / 2), 2))))`;
    const longitudes = box.longitudes.map(([from, to]) => `o.low BETWEEN ${float(from)} AND ${float(to)}`).join(' OR ');
    return {
      latitude: `a.param = ${number('latitude')} AND a.step BETWEEN ${float(box.south)} AND ${float(box.north)}`,
      rest: `o.param = ${number('longitude')} AND (${longitudes}) AND ${distance} <= ${float(km)}`,
    };
  });
  const from = 'index_range a JOIN index_range o ON o.home = a.home AND o.rkey = a.rkey';
  return {
    sql: (alias) =>
      `EXISTS (SELECT 1 FROM ${from} WHERE a.home = ${alias}.home AND a.rkey = ${alias}.rkey AND ${made().latitude} AND ${made().rest} OFFSET 0)`,
    lead: { rows: () => `SELECT a.home, a.rkey FROM ${from} WHERE ${made().latitude} AND ${made().rest}` },
  };
}

function readPlace(value: string): { latitude: number; longitude: number; km: number } {
  const [latitude, longitude, distance, unit = 'km', ...more] = splitAt(value, '|');
  const [lat, lon, far] = [latitude, longitude, distance ?? String(defaultKm)].map((text) =>
    /^[+-]?\d{1,9}(\.\d{1,15})?$/.test(text ?? '') ? Number(text) : Number.NaN,
  ) as [number, number, number];
  const factor = Object.hasOwn(kmPer, unit) ? kmPer[unit]! : Number.NaN;
  const km = far * factor;
  if (more.length > 0 || !(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180) || !(km >= 0)) {
    throw wrong(
      'near',
      'takes latitude|longitude|distance|unit, such as 48.2|16.37|5|km; units: km, m, [mi_us], [mi_i], [ft_i]',
    );
  }
  return { latitude: lat, longitude: lon, km };
}

/** The ranges of latitude and longitude outside of which nothing is that near; two of longitude across the date line. */
function boxAround(
  latitude: number,
  longitude: number,
  km: number,
): { south: number; north: number; longitudes: [number, number][] } {
  const span = (km / kmPerDegree) * 1.0001 + 1e-9;
  const [south, north] = [latitude - span, latitude + span];
  const widest = Math.cos((Math.max(Math.abs(south), Math.abs(north)) * Math.PI) / 180);
  const wide = span / widest;
  if (south <= -90 || north >= 90 || !(wide < 180)) return { south, north, longitudes: [[-180, 180]] };
  const [west, east] = [longitude - wide, longitude + wide];
  if (west < -180)
    return {
      south,
      north,
      longitudes: [
        [west + 360, 180],
        [-180, east],
      ],
    };
  if (east > 180)
    return {
      south,
      north,
      longitudes: [
        [west, 180],
        [-180, east - 360],
      ],
    };
  return { south, north, longitudes: [[west, east]] };
}
