import { Component, type ReactNode } from "react";
import { Failed } from "./states";

interface Props {
  /** What is shown: something else gets a new chance. */
  of: string;
  children: ReactNode;
}

interface State {
  of: string;
  error: unknown;
}

/** Keeps the rest of the page where a view fails, and says that it did. */
export class Guarded extends Component<Props, State> {
  override state: State = { of: this.props.of, error: null };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error };
  }

  static getDerivedStateFromProps({ of }: Props, state: State): State | null {
    return of === state.of ? null : { of, error: null };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <Failed error={this.state.error} retry={() => this.setState({ error: null })} />;
  }
}
