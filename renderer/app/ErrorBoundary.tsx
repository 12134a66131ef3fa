import { Component, type ReactNode } from 'react'
import { toAlcoveError } from '#common/errors.ts'

interface State {
  code: string | null
  message: string
}

/** The last net: whatever breaks in the window, a person reads what happened and how to go on. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { code: null, message: '' }

  static getDerivedStateFromError(error: unknown): State {
    const known = toAlcoveError(error)
    return { code: known.code, message: known.message }
  }

  override render(): ReactNode {
    if (this.state.code === null) return this.props.children
    return (
      <div className="fill-centre">
        <div className="trouble" role="alert" data-testid="trouble" data-code={this.state.code}>
          <h2>The window has run into a fault.</h2>
          <p>{this.state.message}</p>
          <p>Nothing stored is affected. Reload the window to go on.</p>
          <code>{this.state.code}</code>
          <button type="button" className="button primary" onClick={() => window.location.reload()}>
            Reload
          </button>
        </div>
      </div>
    )
  }
}
