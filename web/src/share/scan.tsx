/** QR codes are read in the page itself: no picture leaves it. */
import { useEffect, useRef, useState } from 'react';
import { Notice } from '../parts/notice.tsx';

/** A picture is looked at no larger than this; pixels of its longer side. */
const mostPixels = 2_000;
const lookMs = 200;
/** The codes of links are dense. */
const sharp = { facingMode: 'environment', width: { ideal: 1_280 }, height: { ideal: 720 } };

/** What the code in a picture says; undefined where there is none. @throws where the file is no picture */
export async function scanImage(file: Blob): Promise<string | undefined> {
  const picture = await createImageBitmap(file);
  const code = await codeIn(picture, picture, { effort: Number.POSITIVE_INFINITY, timeLimit: 2_000 });
  picture.close();
  return code;
}

/** The camera's picture, until there is a health link in it. */
export function Camera({ onFound }: { onFound: (link: string) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const found = useRef(onFound);
  found.current = onFound;
  const [fault, setFault] = useState(false);
  useEffect(() => {
    let stream: MediaStream | undefined;
    let isOver = false;
    const stop = () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    const look = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: sharp });
      // The camera was let on after it had been given up.
      if (isOver) return stop();
      const shown = video.current!;
      shown.srcObject = stream;
      await shown.play();
      while (!isOver) {
        const code = await codeIn(shown, { width: shown.videoWidth, height: shown.videoHeight });
        if (!isOver && code?.includes('shlink:/')) return found.current(code);
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
    };
    look().catch(() => {
      if (!isOver) setFault(true);
    });
    return () => {
      isOver = true;
      stop();
    };
  }, []);
  if (fault) return <Notice tone="bad">The camera cannot be used here.</Notice>;
  return (
    <video
      ref={video}
      muted
      playsInline
      aria-label="What the camera sees"
      style={{ width: '100%', maxWidth: 420, borderRadius: 6 }}
    />
  );
}

async function codeIn(
  source: ImageBitmap | HTMLVideoElement,
  size: { width: number; height: number },
  options: { effort?: number; timeLimit?: number } = {},
): Promise<string | undefined> {
  const scale = Math.min(1, mostPixels / Math.max(size.width, size.height, 1));
  const [width, height] = [Math.round(size.width * scale), Math.round(size.height * scale)];
  if (width === 0 || height === 0) return undefined;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.drawImage(source, 0, 0, width, height);
  // Only who scans needs it.
  const { default: decodeQR } = await import('qr/decode.js');
  try {
    return decodeQR(context.getImageData(0, 0, width, height), options);
  } catch {
    // There is none that can be read.
    return undefined;
  }
}
