import { describe, expect, test } from 'vitest';
import { ptBR } from '../i18n/pt-BR.ts';
import { aSignal } from '../testing/signal.ts';
import { csvCell, csvNumber, toCsv } from './csv.ts';

describe('cells', () => {
  test.each([
    ['simples', 'simples'],
    ['a;b', '"a;b"'],
    ['diz "já"', '"diz ""já"""'],
    ['duas\nlinhas', '"duas\nlinhas"'],
    ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
    ['+55 11', "'+55 11"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['', ''],
  ])('%j is written %j', (text, cell) => expect(csvCell(text)).toBe(cell));

  test.each([
    [31.4, '31,40'],
    [1234567.125, '1234567,125'],
    [5, '5,00'],
    [0.000001, '0,000001'],
    [null, ''],
  ])('%d is written %j', (value, cell) => expect(csvNumber(value)).toBe(cell));
});

test('a file has a mark, a head, a line for each signal, and ends its lines as spreadsheets expect', () => {
  const csv = toCsv([aSignal(), aSignal({ asset: null, signal_type: 'UNKNOWN', stop: null })], ptBR, 'pt-BR');
  expect(csv.startsWith('\uFEFFDATA;CANAL;TIPO;ATIVO;')).toBe(true);
  const lines = csv.trimEnd().split('\r\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toBe(
    '23/11/2026 10:00:00;Sala de Swing;COMPRA;ITUB4;Swing Trade;31,40;31,40;32,10;33,00;33,00;30,55;sim;' +
      '23/11/2026 10:00:01;"COMPRA ITUB4\nEntrada: R$ 31,40"',
  );
  expect(lines[2]).toContain(';MENSAGEM;;');
});
