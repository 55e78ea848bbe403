/** Roles and tours, as people call them. */
import { BoxError } from '../../runtime/core/errors.js'
import { isTopRole, topRoles } from './authority.js'
import { TOUR_PREFIX, tourRole } from './roles.js'
import type { RepositoryState } from './state.js'

const isRole = ({ delegated }: RepositoryState, role: string): boolean =>
  isTopRole(role) || delegated.has(role)

/** @throws BoxError `release.invalid` with those that there are */
export function requireRole(state: RepositoryState, role: string): void {
  if (isRole(state, role)) return
  const roles = [...topRoles, ...state.delegated.keys()].filter(name => !isTour(name))
  throw new BoxError(
    'release.invalid',
    `there is no role and no tour ${role}; roles: ${roles.join(', ')}; tours: ${toursOf(state)}`,
  )
}

/** A role, or the tour whose role it is. @throws BoxError `release.invalid` with those that there are */
export function roleNamed(state: RepositoryState, wanted: string): string {
  const tour = tourRole(wanted)
  const role = !isRole(state, wanted) && isRole(state, tour) ? tour : wanted
  requireRole(state, role)
  return role
}

const isTour = (role: string): boolean => role.startsWith(TOUR_PREFIX)

/** Those that may order. */
export function toursOf({ delegated }: RepositoryState): string {
  const tours = [...delegated.keys()].filter(isTour)
  return tours.length === 0 ? 'none' : tours.map(role => role.slice(TOUR_PREFIX.length)).join(', ')
}
