-- A subscription that is paused: its events are numbered and wait.
ALTER TABLE subscription ADD paused boolean NOT NULL DEFAULT false;
