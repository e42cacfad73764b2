/** The frame around every screen: skip link, navigation by role (at the side where there is much of it), who is signed in, colour scheme, sign out. */
import { Button, Group, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { postJson } from '../api/request.ts';
import { NoticeBell } from '../notices/notice-bell.tsx';
import { type Destination, destinationsOf, groupsOf, ROLE_WORDS, sessionQuery, useUser } from '../session/session.ts';
import { Logo } from './logo.tsx';

export function Frame() {
  const user = useUser();
  const main = useRef<HTMLElement>(null);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const groups = user ? groupsOf(user.role) : undefined;
  const shown = useRef(pathname);
  useEffect(() => {
    // A new screen begins where it begins, for the keyboard and the screen reader too.
    if (shown.current !== pathname) main.current?.focus({ preventScroll: true });
    shown.current = pathname;
  }, [pathname]);
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header style={{ background: 'var(--panel)', borderBottom: '1px solid var(--line)' }}>
        <Group px="lg" py={8} gap="md" wrap="wrap" maw={1440} mx="auto">
          <Link to="/" aria-label="Causeway, start page" style={{ color: 'inherit', textDecoration: 'none' }}>
            <Logo />
          </Link>
          {user && !groups && (
            <nav aria-label="Main">
              <Group gap={4}>
                <Links destinations={destinationsOf(user.role)} pathname={pathname} />
              </Group>
            </nav>
          )}
          <Group gap="sm" ml="auto">
            <SchemeButton />
            {user && <NoticeBell role={user.role} />}
            {user && (
              <Link
                to="/security"
                className="nav-link"
                title="Sign-in and security"
                aria-current={pathname === '/security' ? 'page' : undefined}
              >
                <span>
                  {user.name} <span className="quiet">· {ROLE_WORDS[user.role] ?? user.role}</span>
                </span>
              </Link>
            )}
            <Link to="/apps" className="nav-link" aria-current={pathname === '/apps' ? 'page' : undefined}>
              Your apps
            </Link>
            <SignOutButton />
          </Group>
        </Group>
      </header>
      <div className={groups ? 'beside-navigation' : undefined}>
        {groups && (
          <nav aria-label="Main" className="side-navigation">
            {groups.map(({ label, destinations }) => (
              <div key={label ?? ''}>
                {label && <div className="quiet small">{label}</div>}
                <Links destinations={destinations} pathname={pathname} />
              </div>
            ))}
          </nav>
        )}
        <main id="main" ref={main} tabIndex={-1} className="page">
          <Outlet />
        </main>
      </div>
    </>
  );
}

function Links({ destinations, pathname }: { destinations: Destination[]; pathname: string }) {
  return destinations.map(({ to, label }) => (
    <Link
      key={to}
      to={to}
      className="nav-link"
      aria-current={pathname === to || pathname.startsWith(`${to}/`) ? 'page' : undefined}
    >
      {label}
    </Link>
  ));
}

function SchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const other = scheme === 'light' ? 'dark' : 'light';
  return (
    <Button size="compact-sm" variant="default" onClick={() => setColorScheme(other)}>
      {other === 'dark' ? 'Dark' : 'Light'} colours
    </Button>
  );
}

function SignOutButton() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => postJson<void>('/auth/logout', {}),
    onSettled: async () => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, null);
      await navigate({ to: '/sign-in' });
    },
  });
  return (
    <Button size="compact-sm" variant="default" onClick={() => signOut.mutate()} loading={signOut.isPending}>
      Sign out
    </Button>
  );
}
