import { useQuery } from '@tanstack/react-query';
import { getApiHealth, getGatewayHealth } from '../api/client.ts';

const EVERY_MS = 15_000;

/** Asked while the page is looked at; a hidden tab asks nothing. */
const polling = {
  refetchInterval: EVERY_MS,
  retry: false,
  staleTime: EVERY_MS,
  networkMode: 'always',
} as const;

export function useApiHealth() {
  return useQuery({ queryKey: ['health', 'api'], queryFn: ({ signal }) => getApiHealth(signal), ...polling });
}

export function useGatewayHealth() {
  return useQuery({
    queryKey: ['health', 'gateway'],
    queryFn: ({ signal }) => getGatewayHealth(signal),
    ...polling,
  });
}
