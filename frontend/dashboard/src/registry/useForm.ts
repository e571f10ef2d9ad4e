/** A form of the registry: what is typed, what is wrong with it, and the way to the service and back. */
import { useState } from 'react';
import { errorText } from '../api/errors.ts';
import { useTexts } from '../i18n/index.ts';
import { answerProblems, problemText, type Problems } from './rules.ts';

interface FormOptions<Draft> {
  first: Draft;
  check: (draft: Draft) => Problems<Draft>;
  /** Field that no two entries share. */
  unique: keyof Draft;
  save: (draft: Draft) => Promise<unknown>;
  onDone: (draft: Draft) => void;
}

export function useForm<Draft extends object>({ first, check, unique, save, onDone }: FormOptions<Draft>) {
  const t = useTexts();
  const [draft, setDraft] = useState(first);
  const [problems, setProblems] = useState<Problems<Draft>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [refusals, setRefusals] = useState(0);

  const refuse = (found: Problems<Draft>) => {
    setProblems(found);
    setRefusals((before) => before + 1);
  };
  const submit = async () => {
    setProblem(null);
    const found = check(draft);
    if (Object.keys(found).length > 0) {
      refuse(found);
      return;
    }
    setBusy(true);
    try {
      await save(draft);
      onDone(draft);
    } catch (error) {
      const atFields = answerProblems(error, draft, unique);
      if (atFields) refuse(atFields);
      else setProblem(t.registry.formFailed(errorText(error as Error, t)));
    } finally {
      setBusy(false);
    }
  };
  /** What a field needs to show itself. A complaint leaves as soon as the field changes. */
  const field = <Name extends keyof Draft>(name: Name) => ({
    value: draft[name],
    error: problemText(problems[name], t),
    onChange: (value: Draft[Name]) => {
      setDraft((now) => ({ ...now, [name]: value }));
      setProblems((now) => ({ ...now, [name]: undefined }));
    },
  });
  return { field, form: { problem, isBusy, refusals, onSubmit: () => void submit() } };
}
