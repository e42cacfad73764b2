import { expect, test } from 'vitest';
import { brandOf, logoFault, typedOf } from './brand-fields.ts';

const structure = 'http://hl7.org/fhir/StructureDefinition/organization-';
const harbor = {
  resourceType: 'Organization' as const,
  name: 'Harbor Hospital',
  alias: ['Harbour'],
  identifier: [{ system: 'urn:ietf:rfc:3986', value: 'https://harbor.example' }],
  telecom: [{ system: 'url', value: 'https://harbor.example' }],
  address: [{ line: ['1 Quay'], city: 'Harbor', state: 'MA', country: 'US' }],
  extension: [
    {
      url: `${structure}brand`,
      extension: [
        { url: 'brandLogoLicense', valueUrl: 'https://harbor.example/license' },
        { url: 'brandLogo', valueUrl: 'https://harbor.example/logo.svg' },
      ],
    },
    {
      url: `${structure}portal`,
      extension: [
        { url: 'portalName', valueString: 'MyHarbor' },
        { url: 'portalUrl', valueUrl: 'https://my.harbor.example' },
        { url: 'portalLogo', valueUrl: 'https://my.harbor.example/logo.svg' },
      ],
    },
  ],
};

test('what was stored is what is stored again where nothing was changed', () => {
  expect(brandOf(harbor, typedOf(harbor))).toEqual(harbor);
});

test('what is emptied is left out, and what the form does not show stays', () => {
  const typed = { ...typedOf(harbor), alias: [], logo: ' ', line: '', city: '', state: '', country: '', portals: [] };
  const { alias: _, address: __, ...rest } = harbor;
  expect(brandOf(harbor, typed)).toEqual({
    ...rest,
    extension: [{ url: `${structure}brand`, extension: [harbor.extension[0]!.extension[0]] }],
  });
});

test('a new brand has a name, a website and its portals', () => {
  const portals = [{ number: 0, name: '', url: ' https://my.example ', description: 'Yours', rest: [] }];
  const typed = { ...typedOf(null), name: ' New ', website: 'https://new.example', portals };
  expect(brandOf(null, typed)).toEqual({
    resourceType: 'Organization',
    name: 'New',
    telecom: [{ system: 'url', value: 'https://new.example' }],
    extension: [
      {
        url: `${structure}portal`,
        extension: [
          { url: 'portalUrl', valueUrl: 'https://my.example' },
          { url: 'portalDescription', valueMarkdown: 'Yours' },
        ],
      },
    ],
  });
});

test.each([
  ['', undefined],
  ['https://a.example/logo.png', undefined],
  ['data:image/png;base64,AA==', undefined],
  ['http://a.example/logo.png', 'An https address'],
  ['javascript:alert(1)', 'An https address'],
  ['data:text/html;base64,AA==', 'An https address'],
])('a logo %s', (logo, fault) => expect(logoFault(logo)).toBe(fault));
