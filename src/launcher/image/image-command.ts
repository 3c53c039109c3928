/** `lguest image list|build|remove`. */

import { LaunchError } from '../../vm/index.js';
import { FLAVOURS } from './flavours.js';
import { obtainImage } from './image-builder.js';
import { formatMegabytes, type Progress } from './progress.js';
import type { ImageStore, StoredImage } from './store.js';

/** A table of the images, for standard output. */
export function listImages(store: ImageStore): string {
  const images = store.list();
  if (images.length === 0) return 'no image yet: lguest builds one when it is needed, or lguest image build does\n';
  const rows = images.map((image) => [
    image.id,
    image.guest,
    image.release,
    `${image.modules} modules`,
    formatMegabytes(image.kernelBytes + image.initramfsBytes),
    image.built.slice(0, 10),
  ]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((text, column) => text.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Builds an image of the newest packages, even if there is one already. Rejects with `LaunchError`. */
export async function buildImage(
  store: ImageStore,
  guest: string,
  packages: string | undefined,
  progress: Progress,
): Promise<StoredImage> {
  const flavour = FLAVOURS.find(({ name }) => name === guest);
  if (flavour === undefined) {
    throw new LaunchError(`the ${guest} guest needs no image: leave out --guest=${guest}.`);
  }
  return obtainImage(store, { flavour, packages, fresh: true }, progress);
}

/** Removes one image by its ID, or all with the packages they were made of. Throws `LaunchError`. */
export function removeImages(store: ImageStore, id: string | undefined): string {
  const count = store.remove(id);
  if (count === 0 && id !== undefined) {
    throw new LaunchError(`there is no image ${id}: lguest image list shows those there are.`);
  }
  return `${count === 1 ? '1 image' : `${count} images`} removed\n`;
}
