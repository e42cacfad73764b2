/** The inputs of a connector's form, one for each field of its kind. */
import { Checkbox, PasswordInput, Select, Textarea, TextInput } from '@mantine/core';
import type { ConnectorKind } from '../api/contract.ts';
import { CONNECTOR_FIELDS, type ConnectorField, type FieldValues, isShown } from './connector-fields.ts';

interface Props {
  kind: ConnectorKind;
  values: FieldValues;
  onChange: (values: FieldValues) => void;
}

export function ConnectorInputs({ kind, values, onChange }: Props) {
  return CONNECTOR_FIELDS[kind]
    .filter((field) => isShown(field, values))
    .map((field) => (
      <FieldInput
        key={field.name}
        field={field}
        value={values[field.name] ?? ''}
        onChange={(value) => onChange({ ...values, [field.name]: value })}
      />
    ));
}

function FieldInput({
  field,
  value,
  onChange,
}: {
  field: ConnectorField;
  value: string;
  onChange: (value: string) => void;
}) {
  const { label, description, input, required } = field;
  const common = { label, description, required, value };
  const onText = (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value);
  if (typeof input === 'object') {
    const data = Object.entries(input.choices).map(([value, label]) => ({ value, label }));
    return (
      <Select {...common} data={data} allowDeselect={false} onChange={(next) => onChange(next ?? data[0]!.value)} />
    );
  }
  if (input === 'flag')
    return (
      <Checkbox
        label={label}
        checked={value === 'true'}
        onChange={(event) => onChange(String(event.currentTarget.checked))}
      />
    );
  if (input === 'secret') return <PasswordInput {...common} autoComplete="new-password" onChange={onText} />;
  if (input === 'long') return <Textarea {...common} autosize minRows={2} onChange={onText} />;
  return <TextInput {...common} inputMode={input === 'number' ? 'numeric' : undefined} onChange={onText} />;
}
