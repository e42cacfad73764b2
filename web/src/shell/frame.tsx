/**
 * The frame around every screen: skip link, navigation by role (at the side where there is much of it, behind a button
 * where there is no room), who is signed in, colour scheme, sign out.
 */
import { Button, Group, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useClickOutside, useMediaQuery } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { User } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { NoticeBell } from '../notices/notice-bell.tsx';
import {
  type Destination,
  type DestinationGroup,
  destinationsOf,
  groupsOf,
  ROLE_WORDS,
  sessionQuery,
  useUser,
} from '../session/session.ts';
import { Logo } from './logo.tsx';

/** Below this width all that the header holds but the notices is behind one button. */
const narrow = '(max-width: 900px)';

export function Frame() {
  const user = useUser();
  const isNarrow = useMediaQuery(narrow, false, { getInitialValueInEffect: false });
  const main = useRef<HTMLElement>(null);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const groups = user ? groupsOf(user.role) : undefined;
  const isBeside = groups !== undefined && !isNarrow;
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
      <header className="header">
        <Group px={isNarrow ? 'sm' : 'lg'} py={8} gap={isNarrow ? 'xs' : 'md'} maw={1440} mx="auto">
          <Link to="/" aria-label="Causeway, start page" style={{ color: 'inherit', textDecoration: 'none' }}>
            <Logo />
          </Link>
          {user && !groups && !isNarrow && (
            <nav aria-label="Main">
              <Group gap={4}>
                <Links destinations={destinationsOf(user.role)} pathname={pathname} />
              </Group>
            </nav>
          )}
          <Group gap={isNarrow ? 'xs' : 'sm'} ml="auto">
            {!isNarrow && <SchemeButton />}
            {user && <NoticeBell role={user.role} />}
            {!isNarrow && <AccountLinks user={user} pathname={pathname} />}
            {isNarrow ? <NarrowMenu key={pathname} user={user} pathname={pathname} /> : <SignOutButton />}
          </Group>
        </Group>
      </header>
      <div className={isBeside ? 'beside-navigation' : undefined}>
        {isBeside && (
          <nav aria-label="Main" className="side-navigation">
            <Groups groups={groups} pathname={pathname} />
          </nav>
        )}
        <main id="main" ref={main} tabIndex={-1} className="page">
          <Outlet />
        </main>
      </div>
    </>
  );
}

/** Where there is no room: the navigation and all about the account, behind a button. */
function NarrowMenu({ user, pathname }: { user: User | null; pathname: string }) {
  const [isOpen, setIsOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const area = useClickOutside<HTMLElement>(() => setIsOpen(false));
  const groups = user ? (groupsOf(user.role) ?? [{ label: undefined, destinations: destinationsOf(user.role) }]) : [];
  return (
    <nav
      aria-label="Main"
      ref={area}
      onKeyDown={({ key }) => {
        if (key !== 'Escape' || !isOpen) return;
        setIsOpen(false);
        button.current?.focus();
      }}
    >
      <Button
        ref={button}
        size="compact-sm"
        variant="default"
        aria-expanded={isOpen}
        aria-controls="main-menu"
        onClick={() => setIsOpen(!isOpen)}
      >
        Menu
      </Button>
      <div id="main-menu" className="narrow-menu" hidden={!isOpen}>
        <Groups groups={groups} pathname={pathname} />
        <div>
          <AccountLinks user={user} pathname={pathname} />
        </div>
        <Group gap="sm">
          <SchemeButton />
          <SignOutButton />
        </Group>
      </div>
    </nav>
  );
}

function AccountLinks({ user, pathname }: { user: User | null; pathname: string }) {
  return (
    <>
      {user && (
        <Link
          to="/security"
          className="nav-link"
          title={`${ROLE_WORDS[user.role] ?? user.role}: sign-in and security`}
          aria-current={pathname === '/security' ? 'page' : undefined}
        >
          <span>
            {user.name} <span className="quiet role">· {ROLE_WORDS[user.role] ?? user.role}</span>
          </span>
        </Link>
      )}
      <Link to="/apps" className="nav-link" aria-current={pathname === '/apps' ? 'page' : undefined}>
        Your apps
      </Link>
    </>
  );
}

function Groups({ groups, pathname }: { groups: DestinationGroup[]; pathname: string }) {
  return groups.map(({ label, destinations }) => (
    <div key={label ?? ''}>
      {label && <div className="quiet small">{label}</div>}
      <Links destinations={destinations} pathname={pathname} />
    </div>
  ));
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
    <Button
      size="compact-sm"
      variant="default"
      aria-label={other === 'dark' ? 'Dark colours' : 'Light colours'}
      onClick={() => setColorScheme(other)}
    >
      {other === 'dark' ? 'Dark' : 'Light'}
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
