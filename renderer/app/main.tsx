import { createRoot } from 'react-dom/client'
import { z } from 'zod'
import { App } from './App.tsx'
import { ErrorBoundary } from './ErrorBoundary.tsx'
import './theme.css'
import '../ui/ui.css'

// zod would otherwise try `new Function`, which the content security policy rightly forbids.
z.config({ jitless: true })

const root = document.getElementById('root')
if (root !== null)
  createRoot(root).render(
    <ErrorBoundary>
      <App />
    </ErrorBoundary>,
  )
