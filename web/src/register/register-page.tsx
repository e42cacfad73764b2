/** Making an account of one's own with an invitation: the code, and two things that prove whose it is. */
import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { typedBirthDate } from '../people/find-people.ts';
import { Logo } from '../shell/logo.tsx';

const route = getRouteApi('/register');
const shortestPassword = 12;

export function RegisterPage() {
  useTitle('Make an account');
  const { code } = route.useSearch();
  const [fields, setFields] = useState({
    code: code ?? '',
    name: '',
    username: '',
    password: '',
    birthDate: '',
    number: '',
  });
  const { birthDate, password } = fields;
  const date = typedBirthDate(birthDate);
  const register = useMutation({
    meta: { signIn: true },
    mutationFn: () =>
      postJson<{ username: string }>('/auth/register', {
        ...fields,
        code: fields.code.trim(),
        username: fields.username.trim(),
        birthDate: date,
      }),
  });
  const field = (name: keyof typeof fields) => ({
    required: true,
    value: fields[name],
    onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) =>
      setFields((before) => ({ ...before, [name]: value })),
  });
  const isWholeDate = date?.length === 10;
  const isShort = password !== '' && password.length < shortestPassword;
  return (
    <main className="page" style={{ maxWidth: 520, paddingTop: '5vh' }}>
      <Stack gap="md">
        <Logo size={40} />
        <section className="panel" style={{ padding: '1.4rem' }}>
          <Title order={1} mb="xs">
            Make an account
          </Title>
          {register.isSuccess ? (
            <Notice tone="good" title="Your account is made.">
              You can now <Link to="/sign-in">sign in</Link> as {register.data.username}.
            </Notice>
          ) : (
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (isWholeDate && !isShort && !register.isPending) register.mutate();
              }}
            >
              <Stack gap="sm">
                <Text size="sm" className="quiet">
                  You were given a code by those who treat you. So that nobody else can use it, say also when the person
                  whose record it is was born, and one of its numbers.
                </Text>
                <TextInput label="Code" autoComplete="off" {...field('code')} />
                <TextInput
                  label="Date of birth of the person"
                  description="1962-04-09, 04/09/1962 or 9 Apr 1962"
                  autoComplete="off"
                  error={
                    birthDate.trim().length >= 6 && !isWholeDate ? 'Write the whole date, as 1962-04-09' : undefined
                  }
                  {...field('birthDate')}
                />
                <TextInput
                  label="A number of the person"
                  description="The record number on a letter or bracelet; its last four characters are enough"
                  autoComplete="off"
                  {...field('number')}
                />
                <TextInput label="Your own name" autoComplete="name" {...field('name')} />
                <TextInput
                  label="User name"
                  description="To sign in with"
                  autoComplete="username"
                  {...field('username')}
                />
                <PasswordInput
                  label="Password"
                  description={`At least ${shortestPassword} characters`}
                  autoComplete="new-password"
                  error={isShort ? 'Too short yet' : undefined}
                  visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
                  {...field('password')}
                />
                {register.isError && (
                  <Notice tone="bad" title="No account was made.">
                    {register.error.message}
                  </Notice>
                )}
                <Button type="submit" loading={register.isPending} loaderProps={{ 'aria-label': 'Making the account' }}>
                  Make the account
                </Button>
              </Stack>
            </form>
          )}
        </section>
      </Stack>
    </main>
  );
}
