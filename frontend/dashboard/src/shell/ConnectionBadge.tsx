import * as Popover from '@radix-ui/react-popover';
import { useTexts } from '../i18n/index.ts';
import { useNow } from '../lib/hooks.ts';
import { useStore } from '../lib/store.ts';
import { useApiHealth, useGatewayHealth } from '../live/health.ts';
import { stream } from '../live/hub.ts';
import { Button, classOf, controlStyles } from '../ui/controls.tsx';
import { apiCondition, gatewayCondition, streamCondition, type Condition, type Tone } from './connection.ts';
import styles from './ConnectionBadge.module.css';

export function Dot({ tone }: { tone: Tone }) {
  return <span className={styles.dot} data-tone={tone} aria-hidden />;
}

function Row({ name, condition }: { name: string; condition: Condition }) {
  return (
    <div className={styles.row}>
      <Dot tone={condition.tone} />
      <span>{name}</span>
      <span>{condition.text}</span>
    </div>
  );
}

/** Seconds to the next try, and a button for those who do not want to wait. */
function NextTry({ at }: { at: number }) {
  const t = useTexts();
  const now = useNow(1_000);
  const seconds = Math.max(0, Math.ceil((at - now) / 1000));
  return (
    <div className={styles.note}>
      <span>{seconds > 0 ? t.connection.waitingFor(seconds) : t.connection.retrying}</span>
      <Button onClick={() => stream.retryNow()}>{t.retryNow}</Button>
    </div>
  );
}

export function ConnectionBadge() {
  const t = useTexts();
  const connection = useStore(stream.connection);
  const api = apiCondition(useApiHealth(), t);
  const condition = streamCondition(connection, api, t);
  const gateway = gatewayCondition(useGatewayHealth(), t);
  const isDown = connection.state === 'waiting' || connection.state === 'offline';
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <Button
          look="bare"
          className={styles.badge}
          data-testid="connection"
          data-state-name={connection.state}
        >
          <Dot tone={condition.tone} />
          <span role="status">{condition.text}</span>
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className={classOf(controlStyles.menu, styles.box)}
          aria-label={t.connection.label}
          align="end"
          sideOffset={4}
          collisionPadding={8}
        >
          <Row name={t.connection.stream} condition={condition} />
          <Row name={t.connection.api} condition={api} />
          <Row name={t.connection.gateway} condition={gateway} />
          {isDown && <NextTry at={connection.nextAt} />}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
