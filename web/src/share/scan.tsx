/** QR codes read by the browser itself, where it can (Shape Detection API). */
import { useEffect, useRef, useState } from 'react';
import { Notice } from '../parts/notice.tsx';

interface Detector {
  detect(source: ImageBitmap | HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

const lookMs = 250;

function newDetector(): Detector | undefined {
  const { BarcodeDetector } = window as unknown as { BarcodeDetector?: new (options: object) => Detector };
  return BarcodeDetector && new BarcodeDetector({ formats: ['qr_code'] });
}

export function canScan(): boolean {
  return 'BarcodeDetector' in window;
}

/** What the code in a picture says. */
export async function scanImage(file: Blob): Promise<string | undefined> {
  const [found] = (await newDetector()?.detect(await createImageBitmap(file))) ?? [];
  return found?.rawValue;
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
    const look = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      const [shown, detector] = [video.current, newDetector()];
      if (!shown || !detector) return;
      shown.srcObject = stream;
      await shown.play();
      while (!isOver) {
        const codes = await detector.detect(shown);
        const link = codes.find(({ rawValue }) => rawValue.includes('shlink:/'));
        if (link) return found.current(link.rawValue);
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
    };
    look().catch(() => setFault(true));
    return () => {
      isOver = true;
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, []);
  if (fault) return <Notice tone="bad">The camera cannot be used here.</Notice>;
  return <video ref={video} muted playsInline style={{ width: '100%', maxWidth: 420, borderRadius: 6 }} />;
}
