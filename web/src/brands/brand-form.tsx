/** A brand as it is filled in, and as an app shows it. */
import { Button, FileButton, Group, SimpleGrid, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Brand, BrandedEndpoint } from '../api/contract.ts';
import { deleteJson, putJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { brandOf, logoFault, type Portal, readLogo, type TypedBrand, typedOf } from './brand-fields.ts';

interface Props {
  queryKey: string[];
  path: string;
  brand: Brand | null;
  endpoints: readonly BrandedEndpoint[];
}

export function BrandForm({ queryKey, path, brand, endpoints }: Props) {
  const cache = useQueryClient();
  const [typed, setTyped] = useState<TypedBrand>(() => typedOf(brand));
  const done = () => cache.invalidateQueries({ queryKey });
  const put = useMutation({ mutationFn: () => putJson<unknown>(path, brandOf(brand, typed)), onSuccess: done });
  const remove = useMutation({ mutationFn: () => deleteJson<void>(path), onSuccess: done });
  const change = (part: Partial<TypedBrand>) => setTyped({ ...typed, ...part });
  return (
    <>
      <section className="panel" aria-labelledby="brand-shown">
        <h2 id="brand-shown">As an app shows it</h2>
        <Shown typed={typed} />
      </section>
      <section className="panel" aria-labelledby="brand-form">
        <h2 id="brand-form">{brand ? 'The brand' : 'There is no brand yet'}</h2>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!put.isPending) put.mutate();
          }}
        >
          <Stack gap="md">
            <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
              <Texted label="Name" required value={typed.name} onChange={(name) => change({ name })} />
              <TagsInput
                label="Other names"
                description="By which people look for it"
                value={typed.alias}
                onChange={(alias) => change({ alias })}
              />
              <Texted
                label="Website"
                description="Its https address"
                required
                type="url"
                value={typed.website}
                onChange={(website) => change({ website })}
              />
            </SimpleGrid>
            <Logo value={typed.logo} onChange={(logo) => change({ logo })} />
            <fieldset style={{ border: '1px solid var(--line)', borderRadius: 4, minWidth: 0 }}>
              <legend className="small">Address</legend>
              <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
                <Texted label="Street" value={typed.line} onChange={(line) => change({ line })} />
                <Texted label="City" value={typed.city} onChange={(city) => change({ city })} />
                <Texted label="State" value={typed.state} onChange={(state) => change({ state })} />
                <Texted
                  label="Postal code"
                  value={typed.postalCode}
                  onChange={(postalCode) => change({ postalCode })}
                />
                <Texted
                  label="Country"
                  description="Two letters"
                  maxLength={2}
                  value={typed.country}
                  onChange={(country) => change({ country: country.toUpperCase() })}
                />
              </SimpleGrid>
            </fieldset>
            <Portals portals={typed.portals} onChange={(portals) => change({ portals })} />
            <div>
              <h3>Endpoints</h3>
              <Text className="small">Each portal leads apps to this hub; that is added by itself.</Text>
              <ul>
                {endpoints.map(({ address, name }) => (
                  <li key={address} style={{ overflowWrap: 'anywhere' }}>
                    {name}: {address}
                  </li>
                ))}
              </ul>
            </div>
            {put.isError && (
              <Notice tone="bad" title="Not kept.">
                {put.error.message}
              </Notice>
            )}
            {remove.isError && (
              <Notice tone="bad" title="Not removed.">
                {remove.error.message}
              </Notice>
            )}
            <Group>
              <Button type="submit" loading={put.isPending}>
                Show it to apps
              </Button>
              {brand && (
                <Button variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
                  Remove the brand
                </Button>
              )}
            </Group>
          </Stack>
        </form>
      </section>
    </>
  );
}

function Shown({ typed: { name, alias, logo, website, city, state, portals } }: { typed: TypedBrand }) {
  return (
    <Group align="flex-start" wrap="nowrap">
      {logo.startsWith('data:') && logoFault(logo) === undefined && (
        <img
          src={logo}
          alt=""
          style={{ maxWidth: 72, maxHeight: 72, background: '#fff', padding: 4, borderRadius: 4 }}
        />
      )}
      <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
        <strong>{name.trim() === '' ? 'Without a name' : name}</strong>
        {alias.length > 0 && <span className="quiet"> ({alias.join(', ')})</span>}
        <div className="small">{[city, state].filter((part) => part.trim() !== '').join(', ')}</div>
        <div className="small">{website}</div>
        {/* The screens load nothing from elsewhere. */}
        {logo.trim() !== '' && !logo.startsWith('data:') && <div className="small">With the logo at {logo}</div>}
        {portals.map(({ number, name, url }) => (
          <div key={number} className="small">
            {name.trim() === '' ? 'Portal' : name}: {url}
          </div>
        ))}
      </div>
    </Group>
  );
}

/** A logo by its address, or a picture that is kept within the brand. */
function Logo({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [fault, setFault] = useState<string>();
  const isPicture = value.startsWith('data:');
  const chosen = async (file: File | null) => {
    if (!file) return;
    const read = await readLogo(file);
    setFault('fault' in read ? read.fault : undefined);
    if ('logo' in read) onChange(read.logo);
  };
  return (
    <Group align="flex-end">
      <TextInput
        label="Logo"
        description="The https address of an SVG or PNG, or a file of at most 20 kB"
        style={{ flexGrow: 1 }}
        readOnly={isPicture}
        value={isPicture ? 'A picture that is kept here' : value}
        error={fault ?? logoFault(value)}
        onChange={(event) => {
          setFault(undefined);
          onChange(event.currentTarget.value);
        }}
      />
      <FileButton accept="image/png,image/svg+xml" onChange={chosen}>
        {(props) => (
          <Button variant="default" {...props}>
            Choose a file
          </Button>
        )}
      </FileButton>
      {isPicture && (
        <Button variant="default" onClick={() => onChange('')}>
          Take it away
        </Button>
      )}
    </Group>
  );
}

function Portals({ portals, onChange }: { portals: Portal[]; onChange: (portals: Portal[]) => void }) {
  const change = (next: Portal) => onChange(portals.map((one) => (one.number === next.number ? next : one)));
  const add = () => {
    const number = Math.max(-1, ...portals.map((one) => one.number)) + 1;
    onChange([...portals, { number, name: '', url: '', description: '', rest: [] }]);
  };
  return (
    <>
      {portals.map((portal) => (
        <fieldset key={portal.number} style={{ border: '1px solid var(--line)', borderRadius: 4, minWidth: 0 }}>
          <legend className="small">{portal.name.trim() === '' ? 'Portal' : portal.name}</legend>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
            <Texted label="Name of the portal" value={portal.name} onChange={(name) => change({ ...portal, name })} />
            <Texted
              label="Address of the portal"
              required
              type="url"
              value={portal.url}
              onChange={(url) => change({ ...portal, url })}
            />
            <Texted
              label="What it is"
              value={portal.description}
              onChange={(description) => change({ ...portal, description })}
            />
          </SimpleGrid>
          <Button
            variant="default"
            size="compact-sm"
            mt="sm"
            onClick={() => onChange(portals.filter((one) => one !== portal))}
          >
            Remove the portal
          </Button>
        </fieldset>
      ))}
      <Group>
        <Button variant="default" size="compact-sm" onClick={add}>
          Add a portal
        </Button>
      </Group>
    </>
  );
}

function Texted({
  onChange,
  ...rest
}: {
  label: string;
  description?: string;
  required?: boolean;
  type?: string;
  maxLength?: number;
  value: string;
  onChange: (value: string) => void;
}) {
  return <TextInput {...rest} onChange={(event) => onChange(event.currentTarget.value)} />;
}
