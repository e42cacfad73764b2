/** Registering an app: what it is, where it goes back to, what it may ask for. A secret is shown once. */
import { Button, Group, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { RegisteredClient } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { clientsKey } from './clients-page.tsx';

const KINDS = [
  { value: 'none', label: 'App in a browser or on a device: keeps no secret' },
  { value: 'client_secret_basic', label: 'App of a server: gets a secret' },
  { value: 'private_key_jwt', label: 'App of a server: has a key' },
  { value: 'service', label: 'Service without users: has a key' },
];

const SCOPES: { [kind: string]: string } = {
  service: 'system/*.rs',
  other: 'openid fhirUser launch launch/patient offline_access patient/*.rs',
};

export function NewClient({ onDone }: { onDone: () => void }) {
  const cache = useQueryClient();
  const [kind, setKind] = useState('none');
  const [fields, setFields] = useState({
    name: '',
    redirects: '',
    launch: '',
    keys: '',
    organization: '',
    scope: SCOPES.other!,
  });
  const set = (name: keyof typeof fields) => (event: { currentTarget: { value: string } }) =>
    setFields({ ...fields, [name]: event.currentTarget.value });
  const isService = kind === 'service';
  const hasKey = isService || kind === 'private_key_jwt';
  const register = useMutation({
    mutationFn: () =>
      postJson<{ client: RegisteredClient; secret?: string }>(
        '/api/clients',
        described(kind, fields, isService, hasKey),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: clientsKey }),
  });
  if (register.data) {
    const { client, secret } = register.data;
    return (
      <section className="panel">
        <h2>{client.name} is registered</h2>
        <p style={{ overflowWrap: 'anywhere' }}>
          Its client id is <code>{client.id}</code>.
        </p>
        {secret && (
          <Notice tone="warn" title="Its secret is shown this once:">
            <code style={{ overflowWrap: 'anywhere' }}>{secret}</code>
          </Notice>
        )}
        <Button mt="sm" variant="default" onClick={onDone}>
          Done
        </Button>
      </section>
    );
  }
  return (
    <section className="panel">
      <h2>Register an app</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          register.mutate();
        }}
      >
        <Stack gap="sm" maw={720}>
          <TextInput
            label="Name"
            description="Users see it when they are asked"
            required
            value={fields.name}
            onChange={set('name')}
          />
          <Select
            label="Kind"
            data={KINDS}
            value={kind}
            allowDeselect={false}
            onChange={(next) => {
              setKind(next ?? 'none');
              setFields({ ...fields, scope: SCOPES[next === 'service' ? 'service' : 'other']! });
            }}
          />
          {!isService && (
            <>
              <Textarea
                label="Addresses it goes back to"
                description="https, one a line"
                required
                autosize
                value={fields.redirects}
                onChange={set('redirects')}
              />
              <TextInput
                label="Address that opens it from a chart"
                description="Where it has one"
                value={fields.launch}
                onChange={set('launch')}
              />
            </>
          )}
          {hasKey && (
            <TextInput
              label="Address of its keys"
              description="A JSON Web Key Set"
              required
              value={fields.keys}
              onChange={set('keys')}
            />
          )}
          {isService && (
            <TextInput
              label="Participant it acts for"
              description="The key of an organisation on the network"
              value={fields.organization}
              onChange={set('organization')}
            />
          )}
          <Textarea
            label="What it may ask for"
            description="Scopes, with blanks between"
            required
            autosize
            value={fields.scope}
            onChange={set('scope')}
          />
          {register.isError && (
            <Notice tone="bad" title="Not registered.">
              {register.error.message}
            </Notice>
          )}
          <Group>
            <Button type="submit" loading={register.isPending}>
              Register
            </Button>
            <Button variant="default" onClick={onDone}>
              Cancel
            </Button>
          </Group>
          <Text size="sm" className="quiet">
            It may ask at once. What a user’s app gets, that user decides each time.
          </Text>
        </Stack>
      </form>
    </section>
  );
}

function described(
  kind: string,
  fields: { name: string; redirects: string; launch: string; keys: string; organization: string; scope: string },
  isService: boolean,
  hasKey: boolean,
) {
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');
  return {
    client_name: fields.name.trim(),
    scope: words(fields.scope).join(' '),
    token_endpoint_auth_method: isService ? 'private_key_jwt' : kind,
    ...(hasKey ? { jwks_uri: fields.keys.trim() } : {}),
    ...(isService
      ? {
          grant_types: ['client_credentials'],
          response_types: [],
          ...(fields.organization.trim() ? { organization: fields.organization.trim() } : {}),
        }
      : {
          redirect_uris: words(fields.redirects),
          ...(fields.launch.trim() ? { launch_url: fields.launch.trim() } : {}),
        }),
  };
}
