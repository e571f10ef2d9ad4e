import { Activity, ExternalLink, SearchX } from 'lucide-react';
import { useState } from 'react';
import { API_BASE } from '../api/client.ts';
import type { ForwardedMessage } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { formatDateTime } from '../lib/format.ts';
import { followInPage } from '../lib/router.ts';
import { ButtonLink } from '../ui/controls.tsx';
import { BigState } from '../ui/notice.tsx';
import { closePanel, Facts, Panel, PanelBody, panelStyles, Section } from '../ui/panel.tsx';
import { telegramAddress } from './filters.ts';
import styles from './MessagePanel.module.css';

/** Images are shown only from our own service: another server would learn who reads what. */
function ownImage(address: string): string | null {
  return address.startsWith('/') && !address.startsWith('//') ? API_BASE + address : null;
}

function Picture({ message }: { message: ForwardedMessage }) {
  const t = useTexts();
  const [hasFailed, setFailed] = useState(false);
  const { image_url: address, image_width: width, image_height: height } = message;
  if (address === null) return null;
  const own = hasFailed ? null : ownImage(address);
  const isWeb = /^https?:\/\//.test(address);
  return (
    <Section title={t.messages.image}>
      {own !== null && (
        <img
          className={styles.image}
          src={own}
          alt=""
          loading="lazy"
          onError={() => setFailed(true)}
          {...(width !== null && height !== null && { width, height })}
        />
      )}
      {own === null && isWeb && (
        <ButtonLink href={address} target="_blank" rel="noreferrer">
          <ExternalLink size={14} aria-hidden />
          {t.messages.openImage}
        </ButtonLink>
      )}
      {hasFailed && <p className={styles.note}>{t.messages.imageFailed}</p>}
      {width !== null && height !== null && <p className={styles.note}>{t.messages.size(width, height)}</p>}
    </Section>
  );
}

function Links({ message }: { message: ForwardedMessage }) {
  const t = useTexts();
  const source = telegramAddress(message.source_channel_id, message.message_id);
  return (
    <div className={styles.links}>
      {source === null ? (
        <p className={styles.note}>{t.messages.noLink}</p>
      ) : (
        <ButtonLink href={source} target="_blank" rel="noreferrer">
          <ExternalLink size={14} aria-hidden />
          {t.messages.openSource}
        </ButtonLink>
      )}
      <ButtonLink
        href={`/sinais?channel=${encodeURIComponent(message.source_channel_id)}`}
        onClick={followInPage}
      >
        <Activity size={14} aria-hidden />
        {t.messages.signalsOfChannel}
      </ButtonLink>
    </div>
  );
}

function Content({ message }: { message: ForwardedMessage }) {
  const t = useTexts();
  const language = useLanguage();
  const words = t.messages;
  const { message_text: text } = message;
  return (
    <PanelBody>
      <Section title={words.text}>
        {text === null || text === '' ? (
          <p className={styles.note}>{words.noText}</p>
        ) : (
          <blockquote className={panelStyles.message} data-testid="original">
            {text}
          </blockquote>
        )}
      </Section>
      <Picture key={String(message.id)} message={message} />
      <Section title={words.route}>
        <Facts
          facts={[
            [words.source, message.source_channel_name ?? words.unnamed],
            [words.sourceId, message.source_channel_id],
            [words.number, String(message.message_id)],
            [words.destination, message.destination_channel_id],
            [words.method, words.methods[message.forward_method]],
            [words.sent, formatDateTime(message.ts, language)],
            [words.forwarded, formatDateTime(message.forwarded_at, language)],
          ]}
        />
        <Links message={message} />
      </Section>
    </PanelBody>
  );
}

interface MessagePanelProps {
  id: string;
  message: ForwardedMessage | undefined;
  param: string;
}

export function MessagePanel({ id, message, param }: MessagePanelProps) {
  const t = useTexts();
  return (
    <Panel
      label={t.messages.panel}
      title={message ? (message.source_channel_name ?? t.messages.unnamed) : t.messages.panel}
      steps={t.messages}
      onClose={() => closePanel(param, id)}
    >
      {message ? (
        <Content message={message} />
      ) : (
        <BigState icon={<SearchX size={24} aria-hidden />} title={t.messages.gone} />
      )}
    </Panel>
  );
}
