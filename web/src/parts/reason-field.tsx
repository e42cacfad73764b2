/** Where somebody says why they change something: required, and kept with what is changed. */
import { Textarea, type TextareaProps } from '@mantine/core';
import type { Ref } from 'react';

interface ReasonFieldProps extends Omit<TextareaProps, 'onChange'> {
  value: string;
  onChange: (reason: string) => void;
  ref?: Ref<HTMLTextAreaElement>;
}

export function ReasonField({ onChange, ...more }: ReasonFieldProps) {
  return (
    <Textarea
      label="Why it is changed"
      description="Kept in the history"
      required
      autosize
      minRows={2}
      maxLength={1000}
      onChange={(event) => onChange(event.currentTarget.value)}
      {...more}
    />
  );
}
