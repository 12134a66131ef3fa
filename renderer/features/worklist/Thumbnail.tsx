import { ImageOff } from 'lucide-react'
import { useState } from 'react'

interface ThumbnailProps {
  /** Path below /dicom-web, without `/thumbnail`. */
  resource: string
  label: string
  className?: string
}

/** A small rendered picture, fetched when it comes near the screen. */
export function Thumbnail({ resource, label, className }: ThumbnailProps) {
  const [failed, setFailed] = useState(false)
  if (failed)
    return (
      <span className={`thumb none ${className ?? ''}`}>
        <ImageOff size={14} aria-label="No picture" />
      </span>
    )
  return (
    <img
      className={`thumb ${className ?? ''}`}
      src={`/dicom-web/${resource}/thumbnail`}
      alt={label}
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setFailed(true)}
    />
  )
}
