/**
 * What search finds a resource by: one flat value per parameter and element
 * (https://hl7.org/fhir/R4/search.html#ptypes). Strings hold no U+0000, so that every database takes them.
 */

/** The kinds of search parameters of R4. */
export type SearchParameterType =
  | 'token'
  | 'string'
  | 'date'
  | 'reference'
  | 'quantity'
  | 'number'
  | 'uri'
  | 'composite'
  | 'special';

/** One value of one parameter; `param` is the parameter's code. */
export type IndexValue = { param: string } & SearchValue;

/** The value alone, as a component of a composite has it. */
export type SearchValue =
  | TokenValue
  | StringValue
  | DateValue
  | ReferenceValue
  | QuantityValue
  | NumberValue
  | UriValue
  | CompositeValue;

/**
 * `text` is what the modifier `:text` searches: display or CodeableConcept.text; alone when there is no code. `types`
 * are the codes of an identifier's type, for the modifier `:of-type`.
 */
export interface TokenValue {
  kind: 'token';
  system?: string;
  code?: string;
  text?: string;
  types?: { system?: string; code: string }[];
}

/** `normalized`: decomposed (NFKD), accents stripped, case folded, punctuation kept, spaces collapsed. */
export interface StringValue {
  kind: 'string';
  value: string;
  normalized: string;
}

/** Milliseconds since 1970 in UTC; `low` belongs to the range, `high` does not. Open ends are `DATE_MIN`, `DATE_MAX`. */
export interface DateValue {
  kind: 'date';
  low: number;
  high: number;
}

/**
 * `type` and `id` for a reference on this server; `url` for one elsewhere, a canonical (`canonicalVersion` apart) or a
 * URN (with `type` when it can be told); `identifier` for a logical reference.
 */
export interface ReferenceValue {
  kind: 'reference';
  type?: string;
  id?: string;
  url?: string;
  canonicalVersion?: string;
  identifier?: { system?: string; value: string };
}

/**
 * `low` and `high` of a Range are two sides of one value; for a plain quantity both are `value`. `canonicalValue` is
 * `value` in base units, named by `canonicalUnit`, for UCUM units that are understood.
 */
export interface QuantityValue {
  kind: 'quantity';
  value: number;
  low: number;
  high: number;
  system?: string;
  code?: string;
  unit?: string;
  canonicalValue?: number;
  canonicalUnit?: string;
}

/** A number. */
export interface NumberValue {
  kind: 'number';
  value: number;
  low: number;
  high: number;
}

/** A URI, URL, OID, UUID or canonical as it stands. */
export interface UriValue {
  kind: 'uri';
  value: string;
}

/**
 * One combination of the components' values within one element, in the parameter's order; `param` of each is the
 * component's code. Composites of the resource itself have no such values, see `SearchParameter.composite`.
 */
export interface CompositeValue {
  kind: 'composite';
  components: IndexValue[];
}

/** One search parameter of one resource type. */
export interface SearchParameter {
  code: string;
  type: SearchParameterType;
  /** Canonical URL of the definition. */
  url: string;
  /** FHIRPath over this resource type alone. */
  expression: string;
  /** For references: the types it may point at. */
  target?: string[];
  /** For composites: each component's parameter code and type. */
  components?: { code: string; type: SearchParameterType; expression: string }[];
  /**
   * For composites: whether they combine values within an element of the resource (as `CompositeValue`), and, where they
   * combine values of the whole resource, the codes of the parameters that all together say the same.
   */
  composite?: { ofElements: boolean; asParameters?: string[] };
  /**
   * For tokens found in elements of type `code` alone, which say no system: the value sets that these are bound to, and
   * that say of which system a code is.
   */
  valueSets?: string[];
  /** For dates: a resource has one value at most. */
  isSingle?: true;
  /**
   * Of a built-in one: the codes of the parameters that find, one or the other, the same (`combo-code`); it has no values
   * of its own.
   */
  unionOf?: string[];
  /** Of a built-in reference: the parameter that finds the same and more, and the type that this one is confined to. */
  partOf?: { code: string; target: string };
  /** Of a custom parameter: why a search by it is refused for the moment; undefined where it is not. */
  refusal?: () => string | undefined;
}
