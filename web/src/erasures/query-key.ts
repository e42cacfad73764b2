/** Under which the erasures are kept by the screens. */
export const queryKey = ['erasures'];
